/*
 * test: attack-batches-without-end
 * mmu_update and mmuext_op with counts up to all 32 bits, with the bit set that the hypervisor uses
 * itself for a call it makes again, and with places for the count done that are bad. A careless
 * hypervisor believes its own marks from the guest's hands, or works for minutes in one go.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

void test_main(void)
{
    struct mmu_update *page = page_alloc();
    pte_t *top = top_table();
    uint8_t *target = page_alloc();
    if (map(AREA - PAGE_SIZE, pte_make(mfn_of(target), PTE_READ_WRITE)))
        panic("cannot map");
    pte_t *leaf = entry_of(top, AREA - PAGE_SIZE, 1);
    unsigned int entries = PAGE_SIZE / sizeof(*page);
    for (unsigned int i = 0; i < entries; i++)
        page[i] = (struct mmu_update){.ptr = machine_address(leaf),
                                      .val = pte_make(mfn_of(target), PTE_READ_WRITE)};
    for (unsigned int i = 0; i < 64; i++)
        if (map(AREA + i * PAGE_SIZE, pte_make(mfn_of(page), PTE_READ_WRITE)))
            panic("cannot map");
    struct mmu_update *list = (void *)AREA;
    uint32_t done = 0;
    static const uint32_t counts[] = {64 * 256 + 1, 0x10000, 1000000, 0x7fffffff};
    for (unsigned int i = 0; i < 4; i++) {
        expect_result("more than are mapped",
                      HYPERVISOR_mmu_update(list, counts[i], &done, DOMID_SELF), -XEN_EFAULT);
        expect_value("done", done, 64 * 256);
    }
    expect_result("all that are mapped", HYPERVISOR_mmu_update(list, 64 * 256, &done, DOMID_SELF),
                  0);
    /* The bit of a call that was interrupted, from the guest's hands: may be taken or refused. */
    HYPERVISOR_mmu_update(list, 0x80000001, &done, DOMID_SELF);
    HYPERVISOR_mmu_update(list, 0xffffffff, 0, DOMID_SELF);
    HYPERVISOR_mmu_update(list, 0x80000000, (uint32_t *)HYPERVISOR_ADDRESS, DOMID_SELF);
    struct mmuext_op *flushes = page_alloc();
    unsigned int commands = PAGE_SIZE / sizeof(*flushes);
    for (unsigned int i = 0; i < commands; i++)
        flushes[i].cmd = MMUEXT_TLB_FLUSH_LOCAL;
    HYPERVISOR_mmuext_op(flushes, 0x80000001, 0, DOMID_SELF);
    HYPERVISOR_mmuext_op(flushes, 0xffffffff, 0, DOMID_SELF);
    HYPERVISOR_mmuext_op((void *)HYPERVISOR_ADDRESS, 0xffffffff, (uint32_t *)HYPERVISOR_ADDRESS,
                         DOMID_SELF);
    pte_t before = top[9];
    HYPERVISOR_mmu_update(list, 4, (uint32_t *)&top[9], DOMID_SELF);
    HYPERVISOR_mmuext_op(flushes, 4, (uint32_t *)&top[9], DOMID_SELF);
    expect_true("the count does not go into a page table", top[9] == before);
    expect_true("the page is mapped as before", pte_frame(*leaf) == mfn_of(target));
}
