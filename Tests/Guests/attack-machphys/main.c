/*
 * test: attack-machphys
 * The M2P is read-only for guests, and MMU_MACHPHYS_UPDATE writes only entries of own frames. A
 * careless hypervisor indexes the table with a number that it has not compared with its size.
 */
#include "guest.h"

void test_main(void)
{
    volatile unsigned long *table = (volatile unsigned long *)machine_to_physical();
    mfn_t own = mfn_of(page_alloc());
    uint64_t before = table[own];
    faulted("a direct write of an own entry", try_write((void *)&table[own], 0));
    faulted("a direct write of entry 0", try_write((void *)&table[0], 0));
    faulted("a write behind the end", try_write((void *)machine_to_physical_end(), 0));
    expect_value("the entry has not changed", table[own] - before, 0);
    static const uint64_t frames[] = {0xfffffffff, 0xffffffff,      0x7fffffff,
                                      0x1000000,   0xfffffffffffff, 0x100};
    refusals_begin();
    for (unsigned int i = 0; i < 6; i++)
        refusal(mmu_update_one(frames[i] << XEN_PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 0), frames[i]);
    refusals_end("entries of frames that are not the guest's");
    expect_result("an own one", mmu_update_one(own << XEN_PAGE_SHIFT | MMU_MACHPHYS_UPDATE, ~0ul),
                  0);
    expect_value("it is in the table", table[own], ~0ul);
    /* The guest lies about its own frames: nobody may believe it. */
    mfn_t top = mfn_of(top_table());
    mmu_update_one(top << XEN_PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 0xdeadbeefdeadbeef);
    expect_result("a run on tables whose entries lie", mmuext_frame(MMUEXT_NEW_BASEPTR, top), 0);
    expect_result("and the truth again",
                  mmu_update_one(top << XEN_PAGE_SHIFT | MMU_MACHPHYS_UPDATE, pfn_of(top_table())),
                  0);
    expect_result("here as well",
                  mmu_update_one(own << XEN_PAGE_SHIFT | MMU_MACHPHYS_UPDATE, before), 0);
}
