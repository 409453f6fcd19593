/*
 * test: attack-pin-limit
 * Every free page of the guest becomes a pinned table, as many as there are, and each takes one
 * more reference until there are no more. Then all is taken back. A careless hypervisor runs out of
 * its own memory, or lets a count wrap to zero.
 */
#include "guest.h"

#define AREA FREE_ADDRESS
#define TABLES 150

void test_main(void)
{
    static pte_t *tables[TABLES];
    unsigned int pinned = 0, unpinned = 0;
    for (unsigned int i = 0; i < TABLES; i++) {
        tables[i] = page_alloc();
        page_read_only(tables[i]);
        pinned +=
            mmuext_frame(MMUEXT_PIN_L1_TABLE + EMPTY_LEVELS - (i % 2 ? 1 : 2), mfn_of(tables[i])) == 0;
    }
    expect_value("pinned", pinned, TABLES);
    /* One table in all entries of many others: references of one frame by ten thousands. */
    unsigned int references = 0, refusals = 0;
    for (unsigned int i = 1; i < TABLES; i += 2)
        for (unsigned int slot = 0; slot < 512; slot++) {
            if (slot >= 256 && slot < 272)
                continue;
            if (entry_write(&tables[i][slot], pte_make(mfn_of(tables[0]), PTE_TABLE)) == 0)
                references++;
            else
                refusals++;
        }
    print("references of one table: %u, refused: %u\n", references, refusals);
    refused("writable meanwhile", page_set_flags(tables[0], PTE_READ_WRITE));
    for (unsigned int i = 0; i < TABLES; i++)
        unpinned += mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(tables[i])) == 0;
    expect_value("unpinned", unpinned, TABLES);
    unsigned int writable = 0;
    for (unsigned int i = 0; i < TABLES; i++)
        writable += page_set_flags(tables[i], PTE_READ_WRITE) == 0;
    expect_value("writable again", writable, TABLES);
}
