/*
 * test: attack-recursive-tables
 * Tables that contain themselves, and two that contain each other. A hypervisor that validates by
 * recursion without an end overflows its stack, or counts references that nothing takes away.
 */
#include "guest.h"

void test_main(void)
{
    for (unsigned int level = 1; level <= 3; level++) {
        static const unsigned int pins[] = {MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE,
                                            MMUEXT_PIN_L3_TABLE};
        bool is_top = level == PAGING_LEVELS;
        unsigned int last = is_top ? TOP_LAST : 511, other = is_top ? 1 : 7;
        pte_t *own = is_top ? top_make() : page_alloc(), before = own[last];
        own[0] = pte_make(mfn_of(own), level == 1 ? PTE_READ_WRITE : table_flags(level));
        own[last] = own[0];
        page_read_only(own);
        print("level %u ", level);
        refused("in itself, pinned", mmuext_frame(pins[level - 1], mfn_of(own)));
        page_writable(own);
        own[0] = 0;
        own[last] = before;
        page_read_only(own);
        expect_result("empty, pinned", mmuext_frame(pins[level - 1], mfn_of(own)), 0);
        print("level %u ", level);
        refused(
            "in itself, written",
            entry_write(&own[other], pte_make(mfn_of(own), level == 1 ? PTE_READ_WRITE : table_flags(level))));
        expect_result("unpinned", mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(own)), 0);
        page_writable(own);
        expect_true("writable again: nothing holds it", true);
    }
    pte_t *one = page_alloc(), *two = page_alloc();
    one[0] = pte_make(mfn_of(two), PTE_TABLE);
    two[0] = pte_make(mfn_of(one), PTE_TABLE);
    page_read_only(one);
    page_read_only(two);
    refused("two L2 tables in each other", mmuext_frame(MMUEXT_PIN_L2_TABLE, mfn_of(one)));
    refused("two L3 tables in each other", mmuext_frame(MMUEXT_PIN_L3_TABLE, mfn_of(one)));
    refused("two L4 tables in each other, writable",
            mmuext_frame(MMUEXT_PIN_L4_TABLE, mfn_of(two)));
    page_writable(one);
    page_writable(two);
    one[3] = two[5] = 0x1234;
    expect_true("both are memory again", one[3] == two[5]);
}
