/*
 * test: grant-v2
 * Version 2: marks in the status words, sub-page grants for copies alone, transitive grants that
 * lead nowhere, and the way back to version 1.
 */
#include "guest.h"

static void set_version(uint32_t version, long expected)
{
    struct gnttab_set_version set = {.version = version};
    print("set_version %u", version);
    expect_result("", HYPERVISOR_grant_table_op(GNTTABOP_set_version, &set, 1), expected);
}

static mfn_t mfn, target;

static int copy(grant_ref_t reference, uint16_t offset, uint16_t length)
{
    return grant_copy((struct gnttab_copy){.source = copy_grant(0, reference, offset),
                                           .dest = copy_frame(target, 0),
                                           .len = length,
                                           .flags = GNTCOPY_source_gref});
}

static void transitive(unsigned int reference, domid_t domain, grant_ref_t next)
{
    union grant_entry_v2 *entry = grant_entry_two(reference);
    entry->hdr.flags = 0;
    barrier();
    entry->transitive.trans_domid = domain;
    entry->transitive.gref = next;
    entry->hdr.domid = 0;
    barrier();
    entry->hdr.flags = GTF_transitive;
}

void test_main(void)
{
    grants_initialise(1);
    set_version(2, 0);
    grant_status_initialise(1);
    mfn = mfn_of(page_alloc());
    target = mfn_of(page_alloc());
    uint64_t at = (uint64_t)page_alloc();
    grant_handle_t handle;

    union grant_entry_v2 *entry = grant_entry_two(255);
    entry->full_page.frame = mfn;
    entry->hdr.domid = 0;
    barrier();
    entry->hdr.flags = GTF_permit_access;
    expect_status("map the last entry", grant_map(0, 255, GNTMAP_host_map, at, &handle),
                  GNTST_okay);
    expect_value("its flags", entry->hdr.flags, GTF_permit_access);
    expect_value("its status", *grant_status(255), GTF_reading | GTF_writing);
    expect_value("the status beside", *grant_status(254), 0);
    expect_status("unmap", grant_unmap(handle, at, 0), GNTST_okay);
    expect_value("its status", *grant_status(255), 0);
    expect_status("beyond the table", grant_map(0, 256, GNTMAP_host_map, at, &handle),
                  GNTST_bad_gntref);
    entry->full_page.frame = 1ull << 40;
    expect_status("a frame beyond memory", grant_map(0, 255, GNTMAP_host_map, at, &handle),
                  GNTST_bad_page);
    expect_value("its status", *grant_status(255), 0);

    entry = grant_entry_two(8);
    entry->sub_page.frame = mfn;
    entry->sub_page.page_off = 16;
    entry->sub_page.length = 32;
    entry->hdr.domid = 0;
    barrier();
    entry->hdr.flags = GTF_permit_access | GTF_sub_page;
    expect_status("copy out of a sub-page", copy(8, 16, 32), GNTST_okay);
    expect_status("before it", copy(8, 15, 32), GNTST_general_error);
    expect_status("behind it", copy(8, 17, 32), GNTST_general_error);
    expect_status("map it", grant_map(0, 8, GNTMAP_host_map, at, &handle), GNTST_general_error);
    entry->sub_page.page_off = 4090;
    entry->sub_page.length = 65535;
    expect_status("a sub-page over the end", copy(8, 4090, 7), GNTST_bad_copy_arg);

    entry = grant_entry_two(9);
    entry->full_page.frame = mfn;
    entry->hdr.domid = 0;
    barrier();
    entry->hdr.flags = GTF_permit_access;
    transitive(10, 77, 9);
    expect_status("transitive over nobody", copy(10, 0, 8), GNTST_general_error);
    transitive(10, 0, 9);
    expect_status("transitive over itself", copy(10, 0, 8), GNTST_general_error);
    transitive(10, 0, 10);
    expect_status("transitive in a circle", copy(10, 0, 8), GNTST_general_error);
    expect_status("map a transitive one", grant_map(0, 10, GNTMAP_host_map, at, &handle),
                  GNTST_general_error);
    expect_value("its status", *grant_status(10), 0);

    set_version(1, -XEN_EBUSY);
    print("with the status words unmapped, ");
    if (map(GRANT_STATUS, 0))
        panic("they cannot be unmapped");
    set_version(1, 0);
    grant_access(8, 0, mfn, GTF_permit_access);
    expect_status("map", grant_map(0, 8, GNTMAP_host_map, at, &handle), GNTST_okay);
    expect_status("unmap", grant_unmap(handle, at, 0), GNTST_okay);
}
