/*
 * test: attack-reserved-bits
 * Entries with every bit that the architecture or the interface reserves, in tables of each level:
 * frame numbers beyond the machine, large pages, global and ignored bits. A reserved bit that
 * reaches a live table is a page fault of its own kind, in the hypervisor's hands at its next walk.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

void test_main(void)
{
    uint64_t *page = page_alloc();
    *page = 0x1234;
    if (map(AREA, pte_make(mfn_of(page), PTE_READ_WRITE)))
        panic("cannot map");
    pte_t *top = top_table();
    for (unsigned int level = 1; level <= 4; level++) {
        pte_t *entry = entry_of(top, AREA, level), good = *entry;
        refusals_begin();
        /* Frame bits that no memory of a test machine has; 52 and up are ignored or software's. */
        for (unsigned int bit = 40; bit < 52; bit++) {
            refusal(entry_write(entry, good | 1ull << bit), bit);
            refusal(mmu_update_one(machine_address(entry) | MMU_PT_UPDATE_PRESERVE_AD,
                                   good | 1ull << bit),
                    bit);
        }
        if (level > 1)
            refusal(entry_write(entry, good | PTE_LARGE), 7);
        print("level %u ", level);
        refusals_end("with reserved bits");
        expect_value("  and what is mapped", *(volatile uint64_t *)AREA, 0x1234);
        /* Bits that may be refused or kept: the mapping must go on either way. */
        for (unsigned int bit = 0; bit < 64; bit++) {
            if (bit < 12 && bit != 3 && bit != 4 && bit < 8)
                continue;
            if (bit >= 12 && bit < 52)
                continue;
            if (bit != 63)
                entry_write(entry, good | 1ull << bit);
        }
        entry_write(entry, good);
        expect_fault("  access after odd bits", try_write((void *)AREA, 0x1234), NO_FAULT);
    }
}
