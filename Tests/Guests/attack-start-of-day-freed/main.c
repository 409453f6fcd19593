/*
 * test: attack-start-of-day-freed
 * Gives back what the domain builder made: start_info, the frame list, the console and store pages,
 * the start's stack. The hypervisor must not rely on any of it, nor lose count at the end.
 */
#include "guest.h"

static long give(const void *address)
{
    xen_pfn_t frame = mfn_of(address);
    struct xen_memory_reservation list = {
        .extent_start = &frame, .nr_extents = 1, .domid = DOMID_SELF};
    if (HYPERVISOR_update_va_mapping((unsigned long)address, 0, UVMF_INVLPG))
        return -1;
    return HYPERVISOR_memory_op(XENMEM_decrease_reservation, &list);
}

void test_main(void)
{
    static struct start_info copy;
    uint64_t list = start_info->mfn_list, pages = start_info->nr_pages;
    uint64_t *old = (uint64_t *)start_info;
    copy = *start_info;
    start_info = &copy;
    expect_result("start_info", give(old), 1);
    faulted("its page is away", try_read(old, 0));
    /* The list goes last page first: mfn_of needs the rest. */
    unsigned int given = 0, all = (unsigned int)((pages * sizeof(long) + PAGE_SIZE - 1) / PAGE_SIZE);
    for (unsigned int page = all; page-- > 4;)
        given += give((void *)(list + page * PAGE_SIZE)) == 1;
    expect_value("pages of the frame list that stay", all - given, 4);
    /* The shared page is the hypervisor's, not the reservation's. */
    xen_pfn_t shared = copy.shared_info >> XEN_PAGE_SHIFT;
    struct xen_memory_reservation one = {
        .extent_start = &shared, .nr_extents = 1, .domid = DOMID_SELF};
    HYPERVISOR_memory_op(XENMEM_decrease_reservation, &one);
    this_vcpu()->evtchn_upcall_mask = 1;
    expect_true("the shared page lives", events_enabled() == false);
    expect_true("time goes on", system_time() > 0 || this_vcpu()->time.version > 0);
}
