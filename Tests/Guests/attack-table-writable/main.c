/*
 * test: attack-table-writable
 * Whoever can write a page table owns the machine. Tables of all levels are mapped writable by
 * every call, writable pages are made tables, and a table is reached through a second writable
 * mapping that existed before. A careless hypervisor checks only one order of the two steps.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

void test_main(void)
{
    uint64_t *page = page_alloc();
    if (map(AREA, 0) || map(AREA + PAGE_SIZE, 0))
        panic("no tables for the area");
    pte_t *top = top_table();
    pte_t *leaf = entry_of(top, AREA, 1);
    for (unsigned int level = 1; level <= 4; level++) {
        mfn_t table = mfn_of(entry_of(top, AREA, level));
        print("level %u: ", level);
        refused("writable by mmu_update", entry_write(leaf, pte_make(table, PTE_READ_WRITE)));
        print("level %u: ", level);
        refused("writable by update_va_mapping",
                HYPERVISOR_update_va_mapping(AREA, pte_make(table, PTE_READ_WRITE), 0));
        expect_result("read-only", entry_write(leaf, pte_make(table, PTE_READ_ONLY)), 0);
        print("level %u: ", level);
        refused("then made writable", entry_write(leaf, *leaf | PTE_WRITE));
        print("level %u: ", level);
        refused(
            "made writable, A and D kept",
            mmu_update_one(machine_address(leaf) | MMU_PT_UPDATE_PRESERVE_AD, *leaf | PTE_WRITE));
        expect_result("away", entry_write(leaf, 0), 0);
    }
    /* The other order: two writable mappings, one of which stays. */
    expect_result("a second writable mapping",
                  entry_write(leaf, pte_make(mfn_of(page), PTE_READ_WRITE)), 0);
    page_read_only(page);
    static const unsigned int pins[] = {MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE,
                                        MMUEXT_PIN_L3_TABLE, MMUEXT_PIN_L4_TABLE};
    refusals_begin();
    for (unsigned int i = 0; i < 4; i++)
        refusal(mmuext_frame(pins[i], mfn_of(page)), i + 1);
    refusals_end("pin while a writable mapping stays");
    refused("use it as an L1 table",
            entry_write(entry_of(top, AREA + 0x200000, 2), pte_make(mfn_of(page), PTE_TABLE)));
    expect_result("the last writable mapping away", entry_write(leaf, 0), 0);
    expect_result("now it can be pinned", mmuext_frame(MMUEXT_PIN_L1_TABLE, mfn_of(page)), 0);
    refused("and is not writable any more", page_set_flags(page, PTE_READ_WRITE));
    try_write(page + 1, pte_make(mfn_of(page), PTE_READ_WRITE));
    expect_true("a direct hostile write changes nothing", page[1] == 0);
    refused("a hostile one by hypercall",
            entry_write(&page[0], pte_make(mfn_of(page), PTE_READ_WRITE)));
    expect_result("unpin", mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(page)), 0);
}
