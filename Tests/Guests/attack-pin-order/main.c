/*
 * test: attack-pin-order
 * Pins twice, unpins twice, unpins what is not pinned or is in use, loads junk as a base table. A
 * careless hypervisor counts a pin twice, or frees the table that it runs on.
 */
#include "guest.h"

void test_main(void)
{
    pte_t *table = page_alloc();
    mfn_t mfn = mfn_of(table);
    page_read_only(table);
    refused("unpin before any pin", mmuext_frame(MMUEXT_UNPIN_TABLE, mfn));
    expect_result("pin", mmuext_frame(MMUEXT_PIN_L2_TABLE, mfn), 0);
    refused("pin twice", mmuext_frame(MMUEXT_PIN_L2_TABLE, mfn));
    refused("pin at another level", mmuext_frame(MMUEXT_PIN_L3_TABLE, mfn));
    expect_result("unpin", mmuext_frame(MMUEXT_UNPIN_TABLE, mfn), 0);
    refused("unpin twice", mmuext_frame(MMUEXT_UNPIN_TABLE, mfn));
    static const mfn_t frames[] = {0xfffffffff, 0xffffffffffff, 0x7fffffffffffffff, ~0ul, 0x100};
    static const unsigned int commands[] = {
        MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE,     MMUEXT_PIN_L4_TABLE,
        MMUEXT_UNPIN_TABLE,  MMUEXT_NEW_BASEPTR,  MMUEXT_NEW_USER_BASEPTR, MMUEXT_CLEAR_PAGE};
    refusals_begin();
    for (unsigned int i = 0; i < 5; i++)
        for (unsigned int j = 0; j < 8; j++)
            refusal(mmuext_frame(commands[j], frames[i]), frames[i]);
    refusals_end("frames that are not the guest's");

    mfn_t top = mfn_of(top_table());
    /* The start's top table is pinned: unpinned, it still is what the processor walks. */
    expect_result("unpin the running table", mmuext_frame(MMUEXT_UNPIN_TABLE, top), 0);
    refused("unpin it twice", mmuext_frame(MMUEXT_UNPIN_TABLE, top));
    refused("make it writable", page_set_flags(top_table(), PTE_READ_WRITE));
    expect_result("load it again", mmuext_frame(MMUEXT_NEW_BASEPTR, top), 0);
#ifdef __x86_64__
    expect_result("load it for user mode", mmuext_frame(MMUEXT_NEW_USER_BASEPTR, top), 0);
    refused("still not writable", page_set_flags(top_table(), PTE_READ_WRITE));
    expect_result("no table for user mode", mmuext_frame(MMUEXT_NEW_USER_BASEPTR, 0), 0);
#endif
    expect_result("pin it again", mmuext_frame(PIN_TOP_TABLE, top), 0);
}
