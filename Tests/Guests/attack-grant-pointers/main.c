/*
 * test: attack-grant-pointers
 * Arguments of grant_table_op at every bad address, results into memory that must not be written,
 * and counts whose arrays wrap round or reach into the hypervisor.
 */
#include "guest.h"

#define CALL(name, operation)                                                                      \
    static long name(void *pointer) { return HYPERVISOR_grant_table_op(operation, pointer, 1); }
CALL(call_map, GNTTABOP_map_grant_ref)
CALL(call_unmap, GNTTABOP_unmap_grant_ref)
CALL(call_setup, GNTTABOP_setup_table)
CALL(call_transfer, GNTTABOP_transfer)
CALL(call_copy, GNTTABOP_copy)
CALL(call_query, GNTTABOP_query_size)
CALL(call_replace, GNTTABOP_unmap_and_replace)
CALL(call_set_version, GNTTABOP_set_version)
CALL(call_status, GNTTABOP_get_status_frames)
CALL(call_version, GNTTABOP_get_version)
CALL(call_swap, GNTTABOP_swap_grant_ref)
CALL(call_flush, GNTTABOP_cache_flush)

static uint8_t page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

static long setup_list(void *pointer)
{
    struct gnttab_setup_table setup = {
        .dom = DOMID_SELF, .nr_frames = 1, .frame_list = pointer};
    long result = HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1);
    return result ? result : setup.status == GNTST_bad_virt_addr ? -XEN_EFAULT : setup.status;
}

void test_main(void)
{
    grants_initialise(1);
    expect_pointers("map", call_map, sizeof(struct gnttab_map_grant_ref), -XEN_EFAULT);
    expect_pointers("unmap", call_unmap, sizeof(struct gnttab_unmap_grant_ref), -XEN_EFAULT);
    expect_pointers("setup", call_setup, sizeof(struct gnttab_setup_table), -XEN_EFAULT);
    expect_pointers("transfer", call_transfer, sizeof(struct gnttab_transfer), -XEN_EFAULT);
    expect_pointers("copy", call_copy, sizeof(struct gnttab_copy), -XEN_EFAULT);
    expect_pointers("query", call_query, sizeof(struct gnttab_query_size), -XEN_EFAULT);
    expect_pointers("replace", call_replace, sizeof(struct gnttab_unmap_and_replace), -XEN_EFAULT);
    expect_pointers("set version", call_set_version, sizeof(struct gnttab_set_version),
                    -XEN_EFAULT);
    expect_pointers("status", call_status, sizeof(struct gnttab_get_status_frames), -XEN_EFAULT);
    expect_pointers("version", call_version, sizeof(struct gnttab_get_version), -XEN_EFAULT);
    expect_pointers("swap", call_swap, sizeof(struct gnttab_swap_grant_ref), -XEN_EFAULT);
    expect_pointers("flush", call_flush, sizeof(struct gnttab_cache_flush), -XEN_EFAULT);
    expect_output_pointers("list", setup_list, sizeof(xen_pfn_t), -XEN_EFAULT);

    static const unsigned int arrays[] = {GNTTABOP_map_grant_ref, GNTTABOP_unmap_grant_ref,
                                          GNTTABOP_copy, GNTTABOP_unmap_and_replace,
                                          GNTTABOP_swap_grant_ref, GNTTABOP_transfer};
    static const uint32_t counts[] = {0x7fffffff, 0x80000000, 0x80000001, 0xffffffff};
    refusals_begin();
    for (unsigned int i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        for (unsigned int j = 1; j < sizeof(counts) / sizeof(counts[0]); j++)
            refusal(HYPERVISOR_grant_table_op(arrays[i], page, counts[j]), counts[j]);
        refusal(HYPERVISOR_grant_table_op(arrays[i], (void *)UNMAPPED_ADDRESS, 0x7fffffff), i);
        refusal(HYPERVISOR_grant_table_op(arrays[i], (void *)(hypervisor_start() - 64), 3), i);
    }
    refusals_end("counts");
    refusals_begin();
    for (unsigned int bit = 12; bit < 32; bit++)
        for (unsigned int i = 0; i < 13; i++)
            refusal(HYPERVISOR_grant_table_op(1u << bit | i, page, 1), bit);
    refusals_end("upper bits of the operation");
}
