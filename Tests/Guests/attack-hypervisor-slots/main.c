/*
 * test: attack-hypervisor-slots
 * Slots 256 to 271 of a top table are the hypervisor's, on 32 bits the last ones below it: written by hypercall, by a direct write,
 * and filled before the table is pinned. None of it may replace what the hypervisor runs on.
 */
#include "guest.h"

void test_main(void)
{
    unsigned int count;
    pte_t *slots = hypervisor_slots(top_table(), &count);
    pte_t *lower = page_alloc();
    page_read_only(lower);
    refusals_begin();
    for (unsigned int slot = 0; slot < count; slot++) {
        refusal(entry_write(&slots[slot], 0), slot);
        refusal(entry_write(&slots[slot], pte_make(mfn_of(lower), PTE_TABLE)), slot);
        refusal(mmu_update_one(machine_address(&slots[slot]) | MMU_PT_UPDATE_PRESERVE_AD,
                               slots[slot]), slot);
    }
    refusals_end("slots of the running table");
    pte_t before = slots[1];
    try_write(&slots[1], 0);
    expect_true("a direct write changes nothing", slots[1] == before);

    pte_t *top = top_make();
    slots = hypervisor_slots(top, &count);
    void *holder = (void *)((uintptr_t)slots & ~(uintptr_t)(PAGE_SIZE - 1));
    page_writable(holder);
    for (unsigned int slot = 0; slot < count; slot++)
        slots[slot] = pte_make(mfn_of(lower), PTE_TABLE);
    page_read_only(holder);
    page_read_only(top);
    long result = mmuext_frame(PIN_TOP_TABLE, mfn_of(top));
    /* Pinning may refuse the entries or overwrite them. */
    if (result == 0) {
        refusals_begin();
        for (unsigned int slot = 0; slot < count; slot++)
            refusal(entry_write(&slots[slot], pte_make(mfn_of(lower), PTE_TABLE)), slot);
        refusals_end("slots of a pinned table");
        unsigned int left = 0;
        for (unsigned int slot = 0; slot < count; slot++)
            left += pte_frame(slots[slot]) == mfn_of(lower);
        expect_value("entries of the guest's that are left", left, 0);
        expect_result("unpin", mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(top)), 0);
    }
    expect_result("the lower table is still none", page_set_flags(lower, PTE_READ_WRITE), 0);
}
