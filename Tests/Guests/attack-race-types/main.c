/*
 * test: attack-race-types
 * One vcpu maps a page writable and takes it away, the other pins the same page as a table and
 * unpins it, as fast as both can. The page must never be both: a careless hypervisor reads the
 * type, the other changes it, and both count up.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

static pte_t *page;
static volatile bool mapped, pinned;
static volatile unsigned int both, pins;

static void pinning(void)
{
    mfn_t mfn = mfn_of(page);
    unsigned int command = MMUEXT_PIN_L1_TABLE;
    while (!second_shall_stop()) {
        if (mmuext_frame(command, mfn))
            continue;
        __atomic_store_n(&pinned, true, __ATOMIC_SEQ_CST);
        pins++;
        for (unsigned int i = 0; i < 50; i++)
            both += __atomic_load_n(&mapped, __ATOMIC_SEQ_CST);
        __atomic_store_n(&pinned, false, __ATOMIC_SEQ_CST);
        mmuext_frame(MMUEXT_UNPIN_TABLE, mfn);
        command = command == MMUEXT_PIN_L1_TABLE + EMPTY_LEVELS - 1 ? MMUEXT_PIN_L1_TABLE : command + 1;
    }
}

void test_main(void)
{
    page = page_alloc();
    page_read_only(page);
    if (map(AREA, 0))
        panic("no tables for the area");
    pte_t *leaf = entry_of(top_table(), AREA, 1);
    if (!second_start(pinning))
        return;
    unsigned int maps = 0;
    uint64_t start = system_time();
    while ((maps < 2000 || pins < 200) && system_time() - start < 5 * SECONDS) {
        if (entry_write(leaf, pte_make(mfn_of(page), PTE_READ_WRITE)))
            continue;
        __atomic_store_n(&mapped, true, __ATOMIC_SEQ_CST);
        maps++;
        for (unsigned int i = 0; i < 50; i++)
            both += __atomic_load_n(&pinned, __ATOMIC_SEQ_CST);
        __atomic_store_n(&mapped, false, __ATOMIC_SEQ_CST);
        entry_write(leaf, 0);
    }
    second_stop();
    expect_true("mapped and pinned in turn", maps > 0 && pins > 0);
    expect_value("writable and a table at once", both, 0);
    expect_result("nothing is left of it", page_set_flags(page, PTE_READ_WRITE), 0);
    expect_result("nor of the other", page_set_flags(page, PTE_READ_ONLY), 0);
    expect_result("a table again", mmuext_frame(MMUEXT_PIN_L1_TABLE + EMPTY_LEVELS - 1, mfn_of(page)), 0);
    expect_result("and none", mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(page)), 0);
}
