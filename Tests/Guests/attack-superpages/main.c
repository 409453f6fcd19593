/*
 * test: attack-superpages
 * Large pages over memory, over tables and over everything, in L2, L3 and L4 tables, by hypercall,
 * pin and direct write. One large page would hold 511 frames that nobody has checked.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

void test_main(void)
{
    if (map(AREA, pte_make(mfn_of(page_alloc()), PTE_READ_WRITE)))
        panic("cannot map");
    mfn_t frames[] = {0, 0x200, mfn_of(page_alloc()) & ~511ul, mfn_of(top_table()) & ~511ul,
                      0x3fe00};
    for (unsigned int level = 2; level <= 4; level++) {
        pte_t *entry = entry_of(top_table(), AREA, level);
        refusals_begin();
        for (unsigned int i = 0; i < 5; i++) {
            refusal(entry_write(entry + 1, pte_make(frames[i], PTE_READ_WRITE | PTE_LARGE)),
                    frames[i]);
            refusal(entry_write(entry + 1, pte_make(frames[i], PTE_READ_ONLY | PTE_LARGE)),
                    frames[i]);
            refusal(entry_write(entry, pte_make(frames[i], PTE_READ_WRITE | PTE_LARGE)), frames[i]);
        }
        print("level %u, ", level);
        refusals_end("by hypercall");
        pte_t before = entry[1];
        try_write(entry + 1, pte_make(frames[1], PTE_READ_WRITE | PTE_LARGE));
        expect_true("a direct write changes nothing", entry[1] == before);
    }
    static const unsigned int pins[] = {MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE,
                                        MMUEXT_PIN_L4_TABLE};
    pte_t *table = page_alloc();
    for (unsigned int i = 0; i < 5; i++)
        table[i] = pte_make(frames[i], PTE_READ_WRITE | PTE_LARGE);
    page_read_only(table);
    refusals_begin();
    for (unsigned int i = 0; i < 3; i++)
        refusal(mmuext_frame(pins[i], mfn_of(table)), i);
    refusals_end("by pin");
    refused("marked as a superpage", mmuext_frame(MMUEXT_MARK_SUPER, frames[2]));
    refused("unmarked", mmuext_frame(MMUEXT_UNMARK_SUPER, frames[2]));
}
