/*
 * test: page-faults
 * Page faults of the kernel reach its handler with CR2 in the vcpu_info and with an error code
 * without the user bit. After the handler has mapped the page the instruction is done again.
 */
#include "guest.h"

static void *spare;
static uint64_t faults;

static bool map_on_demand(struct trap_frame *frame)
{
    uint64_t address = this_vcpu()->arch.cr2;
    if (frame->vector != VECTOR_PF || address < FREE_ADDRESS || address >= FREE_ADDRESS + PAGE_SIZE)
        return false;
    faults++;
    return map(address, pte_make(mfn_of(spare), PTE_READ_WRITE)) == 0;
}

void test_main(void)
{
    spare = page_alloc();
    *(uint64_t *)spare = 0x1234;
    set_trap_hook(map_on_demand);
    uint64_t value = 0;
    expect_fault("read with a handler that maps", try_read((void *)FREE_ADDRESS, &value), NO_FAULT);
    expect_value("value", value, 0x1234);
    expect_value("faults", faults, 1);
    expect_fault("second read", try_read((void *)FREE_ADDRESS, &value), NO_FAULT);
    expect_value("faults", faults, 1);
    set_trap_hook(0);

    pte_t *entry = entry_of(top_table(), FREE_ADDRESS, 1);
    expect_result("make it read-only", entry_write(entry, pte_make(mfn_of(spare), PTE_READ_ONLY)), 0);
    expect_result("invlpg", mmuext_address(MMUEXT_INVLPG_LOCAL, FREE_ADDRESS), 0);
    expect_fault("write to a read-only page", try_write((void *)FREE_ADDRESS, 1),
                 FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE));
    expect_value("its cr2", caught.cr2, FREE_ADDRESS);

    void (*code)(void) = (void (*)(void))FREE_ADDRESS;
    expect_result("forbid execution",
                  HYPERVISOR_update_va_mapping(FREE_ADDRESS,
                                               pte_make(mfn_of(spare), PTE_READ_WRITE | PTE_NX),
                                               UVMF_INVLPG), 0);
    fault_t fault = TRY("jmp *%0; 3:" FIXUP(%c1, 3b), : : "r"(code), "i"(FREE_ADDRESS) : "memory");
    expect_fault("execution of it", fault, FAULT(VECTOR_PF, PF_PRESENT | PF_FETCH));
    expect_result("unmap", HYPERVISOR_update_va_mapping(FREE_ADDRESS, 0, UVMF_INVLPG), 0);
    expect_fault("read of the unmapped page", try_read((void *)(FREE_ADDRESS + 8), 0),
                 FAULT(VECTOR_PF, 0));
    expect_value("its cr2", caught.cr2, FREE_ADDRESS + 8);
}
