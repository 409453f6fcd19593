/*
 * test: grant-setup
 * The size of a new grant table, its growth, the frames that setup_table tells, and how entries
 * survive growth, exchange and a change of version.
 */
#include "guest.h"

static struct gnttab_query_size size_of(domid_t domain)
{
    struct gnttab_query_size query = {.dom = domain};
    expect_result("query_size", HYPERVISOR_grant_table_op(GNTTABOP_query_size, &query, 1), 0);
    return query;
}

static void set_version(uint32_t version, long expected, uint32_t after)
{
    struct gnttab_set_version set = {.version = version};
    print("set_version %u", version);
    expect_result("", HYPERVISOR_grant_table_op(GNTTABOP_set_version, &set, 1), expected);
    expect_value("version in force", set.version, after);
}

void test_main(void)
{
    struct gnttab_query_size size = size_of(DOMID_SELF);
    expect_value("frames at the start", size.nr_frames, 1);
    expect_value("frames at most", size.max_nr_frames, 64);
    expect_status("status", size.status, GNTST_okay);
    grants_initialise(1);
    mfn_t first = grant_frame(0);
    for (unsigned int i = 0; i < 512; i++)
        if (grant_entry(i)->flags || grant_entry(i)->frame)
            failure("entry %u is not empty", i);
    grant_access(3, 7, 99, GTF_permit_access | GTF_readonly);
    grant_access(8, 7, 98, GTF_permit_access);
    grants_initialise(4);
    expect_true("growth keeps the first frame", grant_frame(0) == first);
    expect_true("frames differ", grant_frame(1) != first && grant_frame(2) != grant_frame(3));
    expect_value("growth keeps an entry", grant_entry(8)->frame, 98);
    expect_value("frames now", size_of(DOMID_SELF).nr_frames, 4);
    grants_initialise(2);
    expect_value("a smaller table is asked for", size_of(0).nr_frames, 4);
    grant_entry(2047)->frame = 0x1234;
    expect_value("the last entry", grant_entry(2047)->frame, 0x1234);

    expect_status("swap", grant_swap(3, 8), GNTST_okay);
    expect_value("first of the exchanged", grant_entry(3)->frame, 98);
    expect_value("second of the exchanged", grant_entry(8)->flags,
                 GTF_permit_access | GTF_readonly);
    expect_status("swap with itself", grant_swap(8, 8), GNTST_okay);
    expect_status("swap beyond the table", grant_swap(8, 2048), GNTST_bad_gntref);

    struct gnttab_get_version get = {.dom = DOMID_SELF};
    expect_result("get_version", HYPERVISOR_grant_table_op(GNTTABOP_get_version, &get, 1), 0);
    expect_value("version", get.version, 1);
    set_version(3, -XEN_EINVAL, 1);
    set_version(1, 0, 1);
    expect_value("the same version keeps entries", grant_entry(8)->frame, 99);
    set_version(2, 0, 2);
    expect_value("a reserved entry is kept", grant_entry_two(3)->full_page.frame, 98);
    expect_value("its flags", grant_entry_two(3)->hdr.flags, GTF_permit_access);
    expect_value("its domain", grant_entry_two(3)->hdr.domid, 7);
    expect_value("others are emptied", grant_entry_two(8)->hdr.flags, 0);
    set_version(1, 0, 1);
    expect_value("the reserved entry again", grant_entry(3)->frame, 98);
    grants_initialise(64);
    expect_value("all frames", size_of(DOMID_SELF).nr_frames, 64);
}
