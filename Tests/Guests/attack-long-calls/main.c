/*
 * test: attack-long-calls
 * Two seconds of the longest calls that there are, one after the other: batches of thousands of
 * entries, pinning and unpinning of full tables, long multicalls. Each must let others in on its
 * way and go on afterwards.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

void test_main(void)
{
    pte_t *tables[16];
    void *page = page_alloc();
    for (unsigned int i = 0; i < 16; i++) {
        tables[i] = page_alloc();
        for (unsigned int slot = 0; slot < 512; slot++)
            tables[i][slot] = pte_make(mfn_of(page), PTE_READ_WRITE);
        page_read_only(tables[i]);
    }
    pte_t *upper = page_alloc();
    for (unsigned int slot = 0; slot < 512; slot++)
        upper[slot] = pte_make(mfn_of(tables[slot % 16]), PTE_TABLE);
    page_read_only(upper);
    struct multicall_entry *calls = page_alloc();
    for (unsigned int i = 0; i < 64; i++)
        calls[i] = (struct multicall_entry){.op = __HYPERVISOR_mmuext_op};
    for (unsigned int i = 0; i < 128; i++)
        if (map(AREA + i * PAGE_SIZE, pte_make(mfn_of(calls), PTE_READ_WRITE)))
            panic("cannot map");
    uint64_t start = system_time();
    unsigned int turns = 0, right = 0;
    while (system_time() - start < 2 * SECONDS) {
        right += mmuext_frame(MMUEXT_PIN_L2_TABLE, mfn_of(upper)) == 0;
        right += mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(upper)) == 0;
        right += HYPERVISOR_multicall((void *)AREA, 64 * 128) == 0;
        turns++;
    }
    expect_true("turns were made", turns > 0);
    expect_value("wrong answers", 3 * turns - right, 0);
}
