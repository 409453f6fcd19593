/*
 * test: attack-map-hypervisor
 * The hypervisor's part of the top table tells the frames of its own tables. A careless hypervisor
 * lets a guest map them, or use them as tables of its own; every attempt must be refused, by each
 * call that writes entries.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

void test_main(void)
{
    pte_t *top = top_table();
    if (map(AREA, 0))
        panic("no tables for the area");
    pte_t *leaf = entry_of(top, AREA, 1);
    unsigned int count, present = 0;
    pte_t *slots = hypervisor_slots(top, &count);
    for (unsigned int level = 1; level <= PAGING_LEVELS; level++) {
        pte_t *entry = level == 1   ? leaf
                       : level == PAGING_LEVELS ? &top[TOP_FREE]
                                    : entry_of(top, AREA + (1ull << (12 + 9 * (level - 1))), level);
        pte_t flags[] = {PTE_READ_ONLY, PTE_READ_WRITE, PTE_TABLE};
        refusals_begin();
        for (unsigned int slot = 0; slot < count; slot++) {
            /* One slot of Xen's holds the guest's own top table. */
            if (!(slots[slot] & PTE_PRESENT) || pte_frame(slots[slot]) == mfn_of(top))
                continue;
            present++;
            for (unsigned int i = 0; i < 3; i++)
                refusal(entry_write(entry, pte_make(pte_frame(slots[slot]), flags[i])), slot);
        }
        print("level %u, ", level);
        refusals_end("the hypervisor's tables");
    }
    expect_true("there was something to attack", present > 0);
    mfn_t secret = pte_frame(slots[0]);
    refused("update_va_mapping of one of them",
            HYPERVISOR_update_va_mapping(AREA, pte_make(secret, PTE_READ_WRITE), UVMF_INVLPG));
    refused("pin one of them", mmuext_frame(MMUEXT_PIN_L3_TABLE, secret));
    refused("pin it as an L1 table", mmuext_frame(MMUEXT_PIN_L1_TABLE, secret));
    refused("unpin it", mmuext_frame(MMUEXT_UNPIN_TABLE, secret));
    refused("run on it", mmuext_frame(MMUEXT_NEW_BASEPTR, secret));
    refused("write into it", mmu_update_one(secret << XEN_PAGE_SHIFT, 0));
    refused("clear it", mmuext_frame(MMUEXT_CLEAR_PAGE, secret));
    refused("a descriptor into it", HYPERVISOR_update_descriptor(secret << XEN_PAGE_SHIFT, 0));
    expect_true("the area is still empty", !(*leaf & PTE_PRESENT));
}
