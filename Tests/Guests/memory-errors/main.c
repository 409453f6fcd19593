/*
 * test: memory-errors
 * memory_op refuses domains that do not exist, unknown operations and unreadable arguments, and
 * stops a list at the first extent that cannot be done. The three calls that work on lists answer
 * with the number of extents done, so an argument that cannot be read is 0 for them.
 */
#include "guest.h"

void test_main(void)
{
    void *bad = (void *)UNMAPPED_ADDRESS;
    static const struct {
        const char *name;
        uint32_t command;
        long result;
    } commands[] = {
        {"increase_reservation", XENMEM_increase_reservation, 0},
        {"decrease_reservation", XENMEM_decrease_reservation, 0},
        {"populate_physmap", XENMEM_populate_physmap, 0},
        {"current_reservation", XENMEM_current_reservation, -XEN_EFAULT},
        {"maximum_reservation", XENMEM_maximum_reservation, -XEN_EFAULT},
        {"maximum_gpfn", XENMEM_maximum_gpfn, -XEN_EFAULT},
        {"exchange", XENMEM_exchange, -XEN_EFAULT},
        {"machphys_mapping", XENMEM_machphys_mapping, -XEN_EFAULT},
        {"machphys_mfn_list", XENMEM_machphys_mfn_list, -XEN_EFAULT},
    };
    for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        print("%s ", commands[i].name);
        expect_result("with a bad pointer", HYPERVISOR_memory_op(commands[i].command, bad),
                      commands[i].result);
    }
    expect_result("unknown operation", HYPERVISOR_memory_op(60, bad), -XEN_ENOSYS);
    domid_t other = 77;
    expect_result("reservation of a domain that does not exist",
                  HYPERVISOR_memory_op(XENMEM_current_reservation, &other), -XEN_ESRCH);
    xen_pfn_t frame = FRAME_BEYOND;
    struct xen_memory_reservation list = {
        .extent_start = &frame, .nr_extents = 1, .domid = DOMID_SELF};
    expect_result("give a frame beyond memory",
                  HYPERVISOR_memory_op(XENMEM_decrease_reservation, &list), 0);
    frame = mfn_of(top_table());
    expect_result("give a page table", HYPERVISOR_memory_op(XENMEM_decrease_reservation, &list), 1);
    list.domid = 77;
    expect_result("of a domain that does not exist",
                  HYPERVISOR_memory_op(XENMEM_decrease_reservation, &list), 0);
    list = (struct xen_memory_reservation){
        .extent_start = &frame, .nr_extents = 1, .extent_order = 20, .domid = DOMID_SELF};
    expect_result("extents of order 20", HYPERVISOR_memory_op(XENMEM_populate_physmap, &list), 0);
    list = (struct xen_memory_reservation){
        .extent_start = bad, .nr_extents = 1, .domid = DOMID_SELF};
    expect_result("list at an unmapped address",
                  HYPERVISOR_memory_op(XENMEM_populate_physmap, &list), 0);
    list.nr_extents = ~0ul;
    expect_result("more extents than can be counted",
                  HYPERVISOR_memory_op(XENMEM_populate_physmap, &list), 0);
    list.nr_extents = 0;
    expect_result("no extents", HYPERVISOR_memory_op(XENMEM_populate_physmap, &list), 0);
}
