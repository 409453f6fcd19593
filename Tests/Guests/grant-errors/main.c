/*
 * test: grant-errors
 * Every error that the operations on grants answer, one line each.
 */
#include "guest.h"

static void expect_call(const char *what, unsigned int operation, void *argument,
                        unsigned int count, long expected)
{
    expect_result(what, HYPERVISOR_grant_table_op(operation, argument, count), expected);
}

static void cache_flush(const char *what, uint64_t address, uint16_t offset, uint16_t length,
                        uint32_t op, long expected)
{
    struct gnttab_cache_flush flush = {
        .a.dev_bus_addr = address, .offset = offset, .length = length, .op = op};
    expect_call(what, GNTTABOP_cache_flush, &flush, 1, expected);
}

static void setup(const char *what, domid_t domain, uint32_t count, void *list, long expected,
                  int status)
{
    struct gnttab_setup_table op = {
        .dom = domain, .nr_frames = count, .status = -50, .frame_list = list};
    expect_call(what, GNTTABOP_setup_table, &op, 1, expected);
    if (!expected)
        expect_status(what, op.status, status);
}

void test_main(void)
{
    grants_initialise(1);
    struct gnttab_query_size query = {.dom = 77};
    expect_call("unknown operation", 13, &query, 1, -XEN_ENOSYS);
    expect_call("upper bits of the operation", 0x1000, &query, 1, -XEN_EINVAL);
    expect_call("negative count", GNTTABOP_copy, &query, 0x80000000u, -XEN_EINVAL);
    expect_call("no elements", GNTTABOP_copy, &query, 0, 0);
    expect_call("dump_table", GNTTABOP_dump_table, &query, 1, -XEN_ENOSYS);
    expect_call("query_size with two", GNTTABOP_query_size, &query, 2, -XEN_EINVAL);
    expect_call("query_size of nobody", GNTTABOP_query_size, &query, 1, 0);
    expect_status("its status", query.status, GNTST_bad_domain);
    struct gnttab_get_version version = {.dom = 77};
    expect_call("get_version of nobody", GNTTABOP_get_version, &version, 1, -XEN_ESRCH);
    struct gnttab_transfer transfer = {.mfn = FRAME_BEYOND, .domid = 0, .ref = 8};
    expect_call("transfer", GNTTABOP_transfer, &transfer, 1, 0);
    expect_status("its status", transfer.status, GNTST_bad_page);

    uint64_t *list = page_alloc();
    setup("more frames than the limit", DOMID_SELF, 65, list, 0, GNTST_general_error);
    setup("no frames", DOMID_SELF, 0, list, 0, GNTST_okay);
    setup("a list at an unmapped address", DOMID_SELF, 1, (void *)UNMAPPED_ADDRESS, 0,
          GNTST_bad_virt_addr);
    setup("a list in the hypervisor", DOMID_SELF, 1, (void *)HYPERVISOR_ADDRESS, -XEN_EFAULT, 0);
    setup("a table of nobody", 77, 1, list, 0, GNTST_bad_domain);
    struct gnttab_get_status_frames frames = {
        .dom = DOMID_SELF, .nr_frames = 1, .frame_list = list};
    expect_call("status frames of version 1", GNTTABOP_get_status_frames, &frames, 1, 0);
    expect_status("their status", frames.status, GNTST_general_error);

    mfn_t mfn = mfn_of(page_alloc());
    uint64_t at = (uint64_t)page_alloc();
    grant_handle_t handle;
    grant_access(8, 0, mfn, GTF_permit_access);
    grant_access(9, 0, mfn, GTF_permit_access | GTF_readonly);
    grant_access(10, 5, mfn, GTF_permit_access);
    grant_access(11, 0, mfn, GTF_accept_transfer);
    grant_access(12, 0, 0xfffffff, GTF_permit_access);
    static const struct {
        const char *what;
        domid_t domain;
        uint32_t reference, flags;
        uint64_t address;
        int status;
    } maps[] = {
        {"neither host nor device", 0, 8, 0, 0, GNTST_bad_gntref},
        {"an entry for nothing", 0, 8, GNTMAP_contains_pte, 0, GNTST_bad_gntref},
        {"of nobody", 77, 8, GNTMAP_host_map, 0, GNTST_bad_domain},
        {"of DOMID_SELF", DOMID_SELF, 8, GNTMAP_host_map, 0, GNTST_bad_domain},
        {"of DOMID_IO", DOMID_IO, 8, GNTMAP_host_map, 0, GNTST_bad_domain},
        {"beyond the table", 0, 512, GNTMAP_host_map, 0, GNTST_bad_gntref},
        {"the highest reference", 0, ~0u, GNTMAP_host_map, 0, GNTST_bad_gntref},
        {"a free entry", 0, 500, GNTMAP_host_map, 0, GNTST_general_error},
        {"a read-only entry writable", 0, 9, GNTMAP_host_map, 0, GNTST_general_error},
        {"another's entry", 0, 10, GNTMAP_host_map, 0, GNTST_general_error},
        {"an entry for a transfer", 0, 11, GNTMAP_host_map, 0, GNTST_general_error},
        {"a frame beyond memory", 0, 12, GNTMAP_host_map, 0, GNTST_bad_page},
        {"no table at the address", 0, 8, GNTMAP_host_map, UNMAPPED_ADDRESS,
         GNTST_general_error},
        {"the hypervisor's address", 0, 8, GNTMAP_host_map, HYPERVISOR_ADDRESS,
         GNTST_general_error},
    };
    for (unsigned int i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
        handle = 0;
        expect_status(maps[i].what,
                      grant_map(maps[i].domain, maps[i].reference, maps[i].flags,
                                maps[i].address ? maps[i].address : at, &handle),
                      maps[i].status);
        if (handle != NO_HANDLE)
            failure("a handle was given");
    }
    for (unsigned int i = 8; i < 13; i++)
        if (grant_entry(i)->flags & (GTF_reading | GTF_writing))
            failure("entry %u is in use", i);

    uint32_t both = GNTMAP_host_map | GNTMAP_device_map;
    uint64_t device = mfn << XEN_PAGE_SHIFT;
    expect_status("map", grant_map(0, 8, both, at, &handle), GNTST_okay);
    expect_status("another handle", grant_unmap(handle + 1, at, 0), GNTST_bad_handle);
    expect_status("no handle", grant_unmap(NO_HANDLE, at, 0), GNTST_bad_handle);
    expect_status("another device address", grant_unmap(handle, at, device + PAGE_SIZE),
                  GNTST_bad_dev_addr);
    expect_status("another address", grant_unmap(handle, (uint64_t)list, 0), GNTST_general_error);
    expect_status("no table", grant_unmap(handle, UNMAPPED_ADDRESS, 0), GNTST_general_error);
    expect_status("replace by nothing", grant_replace(handle, at, UNMAPPED_ADDRESS),
                  GNTST_general_error);
    expect_status("swap while in use", grant_swap(8, 9), GNTST_eagain);
    struct gnttab_set_version set = {.version = 2};
    expect_call("set_version while in use", GNTTABOP_set_version, &set, 1, -XEN_EBUSY);
    expect_status("unmap both", grant_unmap(handle, at, device), GNTST_okay);

    cache_flush("clean", device, 0, 64, GNTTAB_CACHE_CLEAN, 0);
    cache_flush("clean nothing", device, 4095, 0, GNTTAB_CACHE_CLEAN, 0);
    cache_flush("nothing at the end", device, 4096, 0, GNTTAB_CACHE_CLEAN, -XEN_EINVAL);
    cache_flush("invalidate", device, 0, 64, GNTTAB_CACHE_INVAL, -XEN_EOPNOTSUPP);
    cache_flush("both", device, 0, 64, GNTTAB_CACHE_CLEAN | GNTTAB_CACHE_INVAL, 0);
    cache_flush("over the page's end", device, 4090, 7, GNTTAB_CACHE_CLEAN, -XEN_EINVAL);
    cache_flush("an unknown bit", device, 0, 64, 8, -XEN_EINVAL);
    cache_flush("beyond memory", ~0ul, 0, 64, GNTTAB_CACHE_CLEAN, -XEN_EINVAL);
}
