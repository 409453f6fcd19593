/*
 * test: grant-map
 * A domain maps frames that it has granted itself: by virtual address and by page-table entry,
 * writable and read-only, for devices, several at once; unmaps them, in parts and by replacing. The
 * granter's entry shows the use as long as there is one.
 */
#include "guest.h"

static uint64_t *page, *target;
static mfn_t mfn;

static pte_t entry_at(uint64_t address) { return *entry_of(top_table(), address, 1); }

static void expect_use(const char *what, uint16_t flags)
{
    expect_value(what, grant_entry(8)->flags & (GTF_reading | GTF_writing), flags);
}

void test_main(void)
{
    grants_initialise(1);
    page = page_alloc();
    target = page_alloc();
    mfn = mfn_of(page);
    uint64_t at = (uint64_t)target;
    grant_handle_t handle, second;
    page[0] = 0x1111;
    /* A map flushes no TLB for what was mapped before. */
    if (HYPERVISOR_update_va_mapping(at, 0, UVMF_INVLPG))
        panic("the target cannot be unmapped");
    grant_access(8, 0, mfn, GTF_permit_access);

    expect_status("map", grant_map(0, 8, GNTMAP_host_map, at, &handle), GNTST_okay);
    expect_value("the page's content", target[0], 0x1111);
    target[1] = 0x3333;
    expect_value("a store through it", page[1], 0x3333);
    expect_true("the entry maps the frame", pte_frame(entry_at(at)) == mfn);
    expect_value("the entry's flags", entry_at(at) & ~PTE_FRAME & ~(1ull << 52),
                 PTE_NX | PTE_READ_WRITE);
    expect_use("in use", GTF_reading | GTF_writing);
    expect_true("cannot be taken back", !grant_end(8));
    expect_status("unmap", grant_unmap(handle, at, 0), GNTST_okay);
    expect_value("the entry is empty", entry_at(at), 0);
    uint64_t value;
    expect_fault("a read there", try_read(target, &value), FAULT(VECTOR_PF, 0));
    expect_use("not in use", 0);
    expect_status("unmap again", grant_unmap(handle, at, 0), GNTST_bad_handle);
    expect_true("taken back", grant_end(8));

    grant_access(8, 0, mfn, GTF_permit_access | GTF_readonly);
    uint32_t flags = GNTMAP_host_map | GNTMAP_readonly | GNTMAP_application_map | 5u << 16;
    expect_status("map read-only", grant_map(0, 8, flags, at, &handle), GNTST_okay);
    expect_value("the entry's flags", entry_at(at) & ~PTE_FRAME,
                 PTE_NX | PTE_READ_ONLY | PTE_USER | PTE_DIRTY | (PAGING_LEVELS == 4 ? PTE_GLOBAL : 0) | 5 << 9);
    expect_fault("a store", try_write(target, 1), FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE));
    expect_use("in use", GTF_reading);
    expect_status("unmap", grant_unmap(handle, at, 0), GNTST_okay);

    grant_access(8, 0, mfn, GTF_permit_access);
    flags = GNTMAP_host_map | GNTMAP_device_map;
    expect_status("map for both", grant_map(0, 8, flags, at, &handle), GNTST_okay);
    expect_status("map read-only beside",
                  grant_map(0, 8, GNTMAP_device_map | GNTMAP_readonly, 0, &second), GNTST_okay);
    expect_status("unmap nothing", grant_unmap(handle, 0, 0), GNTST_okay);
    expect_status("the host's part", grant_unmap(handle, at, 0), GNTST_okay);
    expect_use("in use", GTF_reading | GTF_writing);
    expect_status("the device's part", grant_unmap(handle, 0, mfn << XEN_PAGE_SHIFT), GNTST_okay);
    expect_use("in use", GTF_reading);
    expect_status("the read-only one", grant_unmap(second, 0, mfn << XEN_PAGE_SHIFT), GNTST_okay);
    expect_use("not in use", 0);

    uint64_t slot = machine_address(entry_of(top_table(), at, 1));
    expect_status("map by entry",
                  grant_map(0, 8, GNTMAP_host_map | GNTMAP_contains_pte, slot, &handle),
                  GNTST_okay);
    expect_value("the page's content", target[0], 0x1111);
    expect_status("unmap by address", grant_unmap(handle, at, 0), GNTST_general_error);
    expect_status("unmap by entry", grant_unmap(handle, slot, 0), GNTST_okay);

    uint64_t *spare = page_alloc();
    spare[0] = 0x4444;
    expect_status("map", grant_map(0, 8, GNTMAP_host_map, at, &handle), GNTST_okay);
    expect_status("replace", grant_replace(handle, at, (uint64_t)spare), GNTST_okay);
    expect_value("the other page's content", target[0], 0x4444);
    expect_value("its entry has moved", entry_at((uint64_t)spare), 0);
    expect_use("not in use", 0);

    struct gnttab_map_grant_ref maps[40];
    struct gnttab_unmap_grant_ref unmaps[40];
    uint64_t many = GRANT_TABLE + (PAGING_LEVELS == 4 ? 0x10000000000ull : 0x1000000);
    if (map(many, pte_make(mfn, PTE_READ_ONLY)))
        panic("no tables");
    for (unsigned int i = 0; i < 40; i++)
        maps[i] = (struct gnttab_map_grant_ref){.host_addr = many + i * PAGE_SIZE,
                                                .flags = GNTMAP_host_map,
                                                .ref = 8,
                                                .dom = 0};
    expect_result("map 40", HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, maps, 40), 0);
    unsigned int good = 0;
    for (unsigned int i = 0; i < 40; i++) {
        good += maps[i].status == GNTST_okay && *(uint64_t *)(uintptr_t)(many + i * PAGE_SIZE) == 0x1111;
        unmaps[i] = (struct gnttab_unmap_grant_ref){.host_addr = many + i * PAGE_SIZE,
                                                    .handle = maps[i].handle};
    }
    expect_value("mapped", good, 40);
    expect_result("unmap 40", HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, unmaps, 40), 0);
    good = 0;
    for (unsigned int i = 0; i < 40; i++)
        good += unmaps[i].status == GNTST_okay;
    expect_value("unmapped", good, 40);
    expect_true("taken back", grant_end(8));
}
