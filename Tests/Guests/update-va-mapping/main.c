/*
 * test: update-va-mapping
 * update_va_mapping writes the last-level entry of an address and flushes as told. It needs a table
 * at the address, accepts the flush modes of the ABI, and refuses what mmu_update refuses.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

static long update(unsigned long address, pte_t value, unsigned long flags)
{
    return HYPERVISOR_update_va_mapping(address, value, flags);
}

void test_main(void)
{
    uint64_t *one = page_alloc(), *two = page_alloc();
    *one = 1;
    *two = 2;
    pte_t first = pte_make(mfn_of(one), PTE_READ_WRITE), second = pte_make(mfn_of(two), PTE_READ_WRITE);
    expect_result("make the tables", map(AREA, 0), 0);

    static const unsigned long modes[] = {
        UVMF_INVLPG | UVMF_LOCAL,    UVMF_INVLPG | UVMF_ALL, UVMF_TLB_FLUSH | UVMF_LOCAL,
        UVMF_TLB_FLUSH | UVMF_ALL,
    };
    for (unsigned int i = 0; i < 4; i++) {
        uint64_t value = 0;
        print("mode %lu ", (uint64_t)modes[i]);
        expect_result("maps", update(AREA, i & 1 ? second : first, modes[i]), 0);
        try_read((void *)AREA, &value);
        expect_value("value", value, i & 1 ? 2 : 1);
    }
    static unsigned long vcpus = 1;
    uint64_t value = 0;
    expect_result("invlpg on a list of vcpus",
                  update(AREA, first, UVMF_INVLPG | UVMF_MULTI | (unsigned long)&vcpus), 0);
    try_read((void *)AREA, &value);
    expect_value("value", value, 1);
    expect_result("list at an unmapped address",
                  update(AREA, first, UVMF_INVLPG | UVMF_MULTI | UNMAPPED_ADDRESS), -XEN_EFAULT);
    expect_result("no flush", update(AREA, first, UVMF_NONE), 0);

    expect_result("no table at the address", update(UNMAPPED_ADDRESS, first, UVMF_INVLPG), -XEN_EINVAL);
    expect_result("address of the hypervisor", update(HYPERVISOR_ADDRESS, first, UVMF_INVLPG),
                  -XEN_EINVAL);
#ifdef __x86_64__
    expect_result("non-canonical address", update(NON_CANONICAL_ADDRESS, first, UVMF_INVLPG),
                  -XEN_EINVAL);
#endif
    expect_result("a page table, writable",
                  update(AREA, pte_make(mfn_of(top_table()), PTE_READ_WRITE), UVMF_INVLPG),
                  -XEN_EBUSY);
    expect_result("a frame beyond memory",
                  update(AREA, pte_make(FRAME_BEYOND, PTE_READ_WRITE), UVMF_INVLPG), -XEN_EPERM);
    try_read((void *)AREA, &value);
    expect_value("value stays", value, 1);
    expect_result("other domain, self",
                  HYPERVISOR_update_va_mapping_otherdomain(AREA, second, UVMF_INVLPG, DOMID_SELF), 0);
    expect_result("other domain that does not exist",
                  HYPERVISOR_update_va_mapping_otherdomain(AREA, second, UVMF_INVLPG, 77),
                  -XEN_ESRCH);
    expect_result("clear", update(AREA, 0, UVMF_INVLPG), 0);
    expect_fault("read", try_read((void *)AREA, 0), FAULT(VECTOR_PF, 0));
}
