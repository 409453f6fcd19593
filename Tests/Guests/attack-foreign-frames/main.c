/*
 * test: attack-foreign-frames
 * Goes through the machine's memory and tries to map every frame that is not the guest's, to write
 * page-table entries into it and to pin it. A careless hypervisor checks that a frame exists and
 * forgets whose it is. Frames below 1 MiB are left out: domain 0 may map devices.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

void test_main(void)
{
    if (map(AREA, 0))
        panic("no tables for the area");
    pte_t *leaf = entry_of(top_table(), AREA, 1);
    long answer = HYPERVISOR_memory_op(XENMEM_maximum_ram_page, 0);
    mfn_t last = answer > 0 ? (mfn_t)answer : 0x8000;
    /* Sorted out by the guest's own list, since the M2P of free frames may hold anything. */
    static uint8_t mine[1 << 20];
    for (pfn_t pfn = 0; pfn < start_info->nr_pages; pfn++)
        if (mfn_of_pfn(pfn) < sizeof(mine))
            mine[mfn_of_pfn(pfn)] = 1;
    mine[start_info->shared_info >> XEN_PAGE_SHIFT] = 1;
    /* The toolstack's grants made it a table, which it may map. */
    xen_pfn_t table[1] = {0};
    struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 1, .frame_list = table};
    HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1);
    if (setup.status == GNTST_okay && table[0] < sizeof(mine))
        mine[table[0]] = 1;
    unsigned int tried = 0;
    refusals_begin();
    /* The end of memory holds the firmware's tables, which domain 0 may read. */
    for (mfn_t mfn = 0x100; mfn < last - 0x400 && mfn < sizeof(mine); mfn += 5) {
        if (mine[mfn])
            continue;
        tried++;
        refusal(entry_write(leaf, pte_make(mfn, mfn & 1 ? PTE_READ_WRITE : PTE_READ_ONLY)), mfn);
        if (mfn % 8 == 0)
            refusal(mmu_update_one(mfn << XEN_PAGE_SHIFT, 0), mfn);
        if (mfn % 8 == 1)
            refusal(mmuext_frame(MMUEXT_PIN_L1_TABLE, mfn), mfn);
        if (mfn % 8 == 2)
            refusal(mmu_update_one(mfn << XEN_PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 0), mfn);
    }
    refusals_end("frames of others");
    expect_true("there were thousands", tried > 1000);
}
