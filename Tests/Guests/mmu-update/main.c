/*
 * test: mmu-update
 * mmu_update writes entries of all levels, in order, and counts those it has done. A batch stops at
 * the first refused element, and what came before it stays. PRESERVE_AD keeps the bits that the
 * processor has set.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

void test_main(void)
{
    uint64_t *one = page_alloc(), *two = page_alloc();
    *one = 1;
    *two = 2;
    expect_result("map a page through new tables", map(AREA, pte_make(mfn_of(one), PTE_READ_WRITE)),
                  0);
    uint64_t value = 0;
    expect_fault("read it", try_read((void *)AREA, &value), NO_FAULT);
    expect_value("value", value, 1);

    pte_t *entry = entry_of(top_table(), AREA, 1);
    uint64_t pointer = machine_address(entry);
    struct mmu_update updates[3] = {
        {.ptr = pointer + 8, .val = pte_make(mfn_of(two), PTE_READ_WRITE)},
        {.ptr = pointer + 16, .val = pte_make(mfn_of(one), PTE_READ_ONLY)},
        {.ptr = pointer + 24, .val = pte_make(mfn_of(two), PTE_READ_ONLY)},
    };
    uint32_t done = 99;
    expect_result("batch of three", HYPERVISOR_mmu_update(updates, 3, &done, DOMID_SELF), 0);
    expect_value("done", done, 3);
    expect_fault("read the second page", try_read((void *)(AREA + PAGE_SIZE), &value), NO_FAULT);
    expect_value("value", value, 2);
    expect_fault("write a read-only page", try_write((void *)(AREA + 2 * PAGE_SIZE), 1),
                 FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE));

    updates[0].val = 0;
    updates[1].val = pte_make(mfn_of(top_table()), PTE_READ_WRITE);
    updates[2].val = 0;
    done = 99;
    expect_result("batch with a bad second element",
                  HYPERVISOR_mmu_update(updates, 3, &done, DOMID_SELF), -XEN_EBUSY);
    expect_value("done", done, 1);
    expect_value("first entry is written", entry[1], 0);
    expect_true("third entry is not", entry[3] & PTE_PRESENT);
    expect_result("empty batch", HYPERVISOR_mmu_update(updates, 0, &done, DOMID_SELF), 0);
    expect_value("done", done, 0);
    expect_result("without a place for the count", HYPERVISOR_mmu_update(updates, 1, 0, DOMID_SELF),
                  0);

    expect_result("clear accessed and dirty",
                  entry_write(entry, pte_make(mfn_of(one), PTE_PRESENT | PTE_USER | PTE_WRITE)), 0);
    expect_value("bits", entry[0] & (PTE_ACCESSED | PTE_DIRTY), 0);
    mmuext_address(MMUEXT_INVLPG_LOCAL, AREA);
    expect_fault("write the page", try_write((void *)AREA, 3), NO_FAULT);
    expect_value("bits after", entry[0] & (PTE_ACCESSED | PTE_DIRTY), PTE_ACCESSED | PTE_DIRTY);
    expect_result("PRESERVE_AD without them",
                  mmu_update_one(pointer | MMU_PT_UPDATE_PRESERVE_AD,
                                 pte_make(mfn_of(one), PTE_PRESENT | PTE_USER)), 0);
    expect_value("bits stay", entry[0] & (PTE_ACCESSED | PTE_DIRTY | PTE_WRITE),
                 PTE_ACCESSED | PTE_DIRTY);
}
