/*
 * test: attack-linear-count
 * Linear maps between two top tables (of 32 bits, between two of level 2), in every slot and both ways, then taken apart in an order
 * that leaves one table in the other while its pin goes. A careless hypervisor frees a table that
 * still is in use, or keeps it for ever. Hypervisors may be built without linear maps.
 */
#include "guest.h"

#define LINEAR (PTE_PRESENT | PTE_USER | PTE_ACCESSED)

static pte_t *new_top(void)
{
    pte_t *table = page_alloc();
    page_read_only(table);
    if (mmuext_frame(MMUEXT_PIN_L1_TABLE + EMPTY_LEVELS - 1, mfn_of(table)))
        panic("an empty top table is refused");
    return table;
}

static bool hypervisors(unsigned int slot) { return slot >= 256 && slot < 272; }

void test_main(void)
{
    pte_t *one = new_top(), *two = new_top();
    unsigned int granted = 0;
    for (unsigned int slot = 0; slot < 512; slot++)
        if (!hypervisors(slot) && entry_write(&one[slot], pte_make(mfn_of(two), LINEAR)) == 0)
            granted++;
    expect_true("all or none", granted == 0 || granted == 496);
    refusals_begin();
    for (unsigned int slot = 0; slot < 512; slot++)
        if (!hypervisors(slot))
            refusal(entry_write(&two[slot], pte_make(mfn_of(one), LINEAR)), slot);
    refusals_end("the way back, while one holds the other");
    expect_result("unpin the inner one", mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(two)), 0);
    if (granted)
        refused("writable while it is held", page_set_flags(two, PTE_READ_WRITE));
    else
        print("writable while it is held: refused\n");
    expect_result("unpin the outer one", mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(one)), 0);
    expect_result("the inner one is memory", page_set_flags(two, PTE_READ_WRITE), 0);
    expect_result("the outer one is memory", page_set_flags(one, PTE_READ_WRITE), 0);
    refused("unpin again", mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(one)));
}
