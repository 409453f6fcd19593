/*
 * test: attack-wrong-level
 * Tables of every level go into entries of every other level, and are pinned as every other level.
 * A table whose entries are read at the wrong level maps what was never checked.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

void test_main(void)
{
    if (map(AREA, pte_make(mfn_of(page_alloc()), PTE_READ_WRITE)))
        panic("no tables for the area");
    pte_t *top = top_table();
    static const unsigned int pins[] = {MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE,
                                        MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE};
    for (unsigned int level = 1; level <= PAGING_LEVELS; level++) {
        mfn_t table = mfn_of(entry_of(top, AREA, level));
        refusals_begin();
        for (unsigned int slot = 2; slot <= PAGING_LEVELS; slot++) {
            /* An entry beside the one in use; slot - 1 is the level it is made for. */
            pte_t *entry = entry_of(top, AREA, slot) + 1;
            if (slot - 1 != level)
                refusal(entry_write(entry, pte_make(table, PTE_TABLE)), slot);
        }
        for (unsigned int other = 1; other <= 4; other++)
            if (other != level)
                refusal(mmuext_frame(pins[other - 1], table), 16 + other);
        if (level != PAGING_LEVELS) {
            refusal(mmuext_frame(MMUEXT_NEW_BASEPTR, table), 32);
            refusal(mmuext_frame(MMUEXT_NEW_USER_BASEPTR, table), 33);
        }
        print("a table of level %u ", level);
        refusals_end("at other levels");
    }
    /* Ordinary memory and the shared page as tables. */
    mfn_t others[] = {mfn_of(page_alloc()), start_info->shared_info >> XEN_PAGE_SHIFT};
    for (unsigned int i = 0; i < 2; i++) {
        refusals_begin();
        for (unsigned int slot = 2; slot <= PAGING_LEVELS; slot++)
            refusal(entry_write(entry_of(top, AREA, slot) + 1, pte_make(others[i], PTE_TABLE)),
                    slot);
        for (unsigned int level = 1; level <= 4; level++)
            refusal(mmuext_frame(pins[level - 1], others[i]), 16 + level);
        refusal(mmuext_frame(MMUEXT_NEW_BASEPTR, others[i]), 32);
        refusals_end(i ? "the shared page as a table" : "a writable page as a table");
    }
}
