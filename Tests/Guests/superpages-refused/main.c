/*
 * test: superpages-refused
 * A PV guest has no large pages: an L2 entry with the PSE bit is refused in a pinned table, by
 * mmu_update and when the table is promoted, and MMUEXT_MARK_SUPER is not offered.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

void test_main(void)
{
    void *page = page_alloc();
    if (map(AREA, pte_make(mfn_of(page), PTE_READ_WRITE)))
        panic("cannot map");
    pte_t *entry = entry_of(top_table(), AREA, 2);
    pte_t large = pte_make(mfn_of(page) & ~511ul, PTE_READ_WRITE | PTE_LARGE);
    expect_result("large page by mmu_update", entry_write(entry, large), -XEN_EINVAL);
    expect_result("large page, read-only",
                  entry_write(entry, large & ~(PTE_WRITE | PTE_DIRTY)), -XEN_EINVAL);
    pte_t *table = page_alloc();
    table[3] = large;
    page_read_only(table);
    expect_result("table with a large page", mmuext_frame(MMUEXT_PIN_L2_TABLE, mfn_of(table)),
                  -XEN_EINVAL);
    expect_result("MARK_SUPER", mmuext_frame(MMUEXT_MARK_SUPER, mfn_of(page) & ~511ul),
                  -XEN_EOPNOTSUPP);
    expect_result("UNMARK_SUPER", mmuext_frame(MMUEXT_UNMARK_SUPER, mfn_of(page) & ~511ul),
                  -XEN_EOPNOTSUPP);
}
