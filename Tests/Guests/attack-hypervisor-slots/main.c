/*
 * test: attack-hypervisor-slots
 * Slots 256 to 271 of a top table are the hypervisor's: written by hypercall, by a direct write,
 * and filled before the table is pinned. None of it may replace what the hypervisor runs on.
 */
#include "guest.h"

void test_main(void)
{
    pte_t *top = top_table();
    pte_t *page = page_alloc();
    pte_t *lower = page_alloc();
    page_read_only(lower);
    refusals_begin();
    for (unsigned int slot = 256; slot < 272; slot++) {
        refusal(entry_write(&top[slot], 0), slot);
        refusal(entry_write(&top[slot], pte_make(mfn_of(lower), PTE_TABLE)), slot);
        refusal(mmu_update_one(machine_address(&top[slot]) | MMU_PT_UPDATE_PRESERVE_AD, top[slot]),
                slot);
    }
    refusals_end("slots of the running table");
    pte_t before = top[257];
    try_write(&top[257], 0);
    expect_true("a direct write changes nothing", top[257] == before);

    for (unsigned int slot = 256; slot < 272; slot++)
        page[slot] = pte_make(mfn_of(lower), PTE_TABLE);
    page_read_only(page);
    long result = mmuext_frame(MMUEXT_PIN_L4_TABLE, mfn_of(page));
    /* Pinning may refuse the entries or overwrite them. */
    if (result == 0) {
        refusals_begin();
        for (unsigned int slot = 256; slot < 272; slot++)
            refusal(entry_write(&page[slot], pte_make(mfn_of(lower), PTE_TABLE)), slot);
        refusals_end("slots of a pinned table");
        unsigned int left = 0;
        for (unsigned int slot = 256; slot < 272; slot++)
            left += pte_frame(page[slot]) == mfn_of(lower);
        expect_value("entries of the guest's that are left", left, 0);
        expect_result("unpin", mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(page)), 0);
    }
    expect_result("the lower table is still none", page_set_flags(lower, PTE_READ_WRITE), 0);
}
