/*
 * test: attack-race-entries
 * Two vcpus write the same entries with different pages, empty them, and load each other's tables.
 * A careless hypervisor gives up the reference of an entry twice, or that of one that the other has
 * just written: a page would be free while it is mapped.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

static pte_t *leaf;
static uint8_t *pages[4];
static volatile unsigned int turns;

static void writing(unsigned int seed)
{
    unsigned int slot = seed % 4, page = seed / 4 % 4;
    pte_t value =
        seed % 5 ? pte_make(mfn_of(pages[page]), seed % 3 ? PTE_READ_WRITE : PTE_READ_ONLY) : 0;
    if (seed % 2)
        HYPERVISOR_update_va_mapping(AREA + slot * PAGE_SIZE, value, UVMF_NONE);
    else
        entry_write(&leaf[slot], value);
}

static void other(void)
{
    unsigned int seed = 77;
    while (!second_shall_stop()) {
        seed = seed * 1103515245 + 12345;
        writing(seed >> 8);
        turns++;
    }
}

void test_main(void)
{
    for (unsigned int i = 0; i < 4; i++)
        pages[i] = page_alloc();
    if (map(AREA, 0))
        panic("no tables for the area");
    leaf = entry_of(top_table(), AREA, 1);
    if (!second_start(other))
        return;
    uint64_t start = system_time();
    for (unsigned int i = 0; (i < 5000 || turns < 5000) && system_time() - start < 5 * SECONDS; i++)
        writing((unsigned int)random_next() >> 4);
    second_stop();
    expect_true("both wrote", turns > 0);
    for (unsigned int slot = 0; slot < 4; slot++)
        if (entry_write(&leaf[slot], 0))
            failure("entry %u cannot be emptied", slot);
    /* With every mapping but its own gone, each page can become a table: the counts are right. */
    unsigned int tables = 0;
    for (unsigned int i = 0; i < 4; i++) {
        page_read_only(pages[i]);
        tables += mmuext_frame(MMUEXT_PIN_L1_TABLE, mfn_of(pages[i])) == 0;
        mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(pages[i]));
        page_writable(pages[i]);
    }
    expect_value("pages whose counts are right", tables, 4);
}
