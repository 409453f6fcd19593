/*
 * test: attack-preserve-ad
 * MMU_PT_UPDATE_PRESERVE_AD keeps accessed and dirty bits of the old entry. A careless hypervisor
 * takes it as leave to skip the checks, or merges bits of an entry that maps another frame.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

static long preserve(pte_t *entry, pte_t value)
{
    return mmu_update_one(machine_address(entry) | MMU_PT_UPDATE_PRESERVE_AD, value);
}

void test_main(void)
{
    uint64_t *page = page_alloc();
    if (map(AREA, pte_make(mfn_of(page), PTE_READ_WRITE)))
        panic("cannot map");
    pte_t *top = top_table(), *leaf = entry_of(top, AREA, 1);
    refused("the top table, writable", preserve(leaf, pte_make(mfn_of(top), PTE_READ_WRITE)));
    refused("its own table, writable", preserve(leaf, pte_make(mfn_of(leaf), PTE_READ_WRITE)));
    refused("a frame beyond memory", preserve(leaf, pte_make(0xfffffffff, PTE_READ_WRITE)));
    refused("a large page",
            preserve(entry_of(top, AREA, 2), pte_make(mfn_of(page), PTE_READ_WRITE | PTE_LARGE)));
    expect_result("read-only", preserve(leaf, pte_make(mfn_of(page), PTE_READ_ONLY)), 0);
    mmuext_address(MMUEXT_INVLPG_LOCAL, AREA);
    expect_fault("a write after it", try_write((void *)AREA, 1),
                 FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE));
    expect_result("as a table, A and D left of before",
                  preserve(leaf, pte_make(mfn_of(top), PTE_READ_ONLY)), 0);
    refused("then writable",
            preserve(leaf, pte_make(mfn_of(top), PTE_PRESENT | PTE_WRITE | PTE_USER)));
    expect_result("away", preserve(leaf, 0), 0);
    expect_fault("the page is reached no more", try_read((void *)AREA, 0), FAULT(VECTOR_PF, 0));
}
