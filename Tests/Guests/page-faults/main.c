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
    if (frame->vector != VECTOR_PF || address < 0x10000000000 || address >= 0x10000001000)
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
    expect_fault("read with a handler that maps", try_read((void *)0x10000000000, &value), NO_FAULT);
    expect_value("value", value, 0x1234);
    expect_value("faults", faults, 1);
    expect_fault("second read", try_read((void *)0x10000000000, &value), NO_FAULT);
    expect_value("faults", faults, 1);
    set_trap_hook(0);

    pte_t *entry = entry_of(top_table(), 0x10000000000, 1);
    expect_result("make it read-only", entry_write(entry, pte_make(mfn_of(spare), PTE_READ_ONLY)), 0);
    expect_result("invlpg", mmuext_address(MMUEXT_INVLPG_LOCAL, 0x10000000000), 0);
    expect_fault("write to a read-only page", try_write((void *)0x10000000000, 1),
                 FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE));
    expect_value("its cr2", caught.cr2, 0x10000000000);

    void (*code)(void) = (void (*)(void))0x10000000000;
    expect_result("forbid execution",
                  HYPERVISOR_update_va_mapping(0x10000000000,
                                               pte_make(mfn_of(spare), PTE_READ_WRITE | PTE_NX),
                                               UVMF_INVLPG), 0);
    fault_t fault = TRY("jmp *%0; 3:" FIXUP(0x10000000000, 3b), : : "r"(code) : "memory");
    expect_fault("execution of it", fault, FAULT(VECTOR_PF, PF_PRESENT | PF_FETCH));
    expect_result("unmap", HYPERVISOR_update_va_mapping(0x10000000000, 0, UVMF_INVLPG), 0);
    expect_fault("read of the unmapped page", try_read((void *)0x10000000008, 0),
                 FAULT(VECTOR_PF, 0));
    expect_value("its cr2", caught.cr2, 0x10000000008);
}
