/*
 * test: pin-tables
 * A table of each level can be pinned when it and what it points to are not mapped writable, and
 * unpinned again. While it is pinned nobody can map it writable; afterwards it is an ordinary page.
 */
#include "guest.h"

static pte_t *table(pte_t first)
{
    pte_t *page = page_alloc();
    page[0] = first;
    page_read_only(page);
    return page;
}

static void pin_and_unpin(const char *name, unsigned int command, pte_t *page)
{
    print("level %s ", name);
    expect_result("pin", mmuext_frame(command, mfn_of(page)), 0);
    expect_result("  map it writable", page_set_flags(page, PTE_READ_WRITE), -XEN_EBUSY);
    expect_result("  unpin", mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(page)), 0);
    expect_result("  map it writable", page_set_flags(page, PTE_READ_WRITE), 0);
    page[1] = 0;
    expect_result("  read-only again", page_set_flags(page, PTE_READ_ONLY), 0);
}

void test_main(void)
{
    void *data = page_alloc();
    pte_t *l1 = table(pte_make(mfn_of(data), PTE_READ_WRITE));
    pin_and_unpin("1", MMUEXT_PIN_L1_TABLE, l1);
    pte_t *l2 = table(pte_make(mfn_of(l1), PTE_TABLE));
    pin_and_unpin("2", MMUEXT_PIN_L2_TABLE, l2);
#ifdef __x86_64__
    pte_t *l3 = table(pte_make(mfn_of(l2), PTE_TABLE));
    pin_and_unpin("3", MMUEXT_PIN_L3_TABLE, l3);
    pte_t *top = table(pte_make(mfn_of(l3), PTE_TABLE));
#else
    pte_t *top = top_make();
    top[0] = pte_make(mfn_of(l2), table_flags(3));
    page_read_only(top);
#endif
    pin_and_unpin(PAGING_LEVELS == 4 ? "4" : "3", PIN_TOP_TABLE, top);

    /* Tables below a pinned one hold by its reference alone. */
    expect_result(PAGING_LEVELS == 4 ? "pin level 4" : "pin level 3", mmuext_frame(PIN_TOP_TABLE, mfn_of(top)), 0);
    expect_result("map the level 1 table writable", page_set_flags(l1, PTE_READ_WRITE), -XEN_EBUSY);
    expect_result("pin level 1 as well", mmuext_frame(MMUEXT_PIN_L1_TABLE, mfn_of(l1)), 0);
    expect_result(PAGING_LEVELS == 4 ? "unpin level 4" : "unpin level 3", mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(top)), 0);
    expect_result("level 1 still holds", page_set_flags(l1, PTE_READ_WRITE), -XEN_EBUSY);
    expect_result("unpin level 1", mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(l1)), 0);
    expect_result("map it writable", page_set_flags(l1, PTE_READ_WRITE), 0);
}
