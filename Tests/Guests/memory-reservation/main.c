/*
 * test: memory-reservation
 * A guest gives frames back and gets new ones at the same places: counts go down and up, the
 * frames are gone from its page tables first, and what comes back is mapped like any other.
 */
#include "guest.h"

static long reservation(void)
{
    domid_t self = DOMID_SELF;
    return HYPERVISOR_memory_op(XENMEM_current_reservation, &self);
}

void test_main(void)
{
    long before = reservation();
    expect_true("the reservation is start_info's", before == (long)start_info->nr_pages);
    domid_t self = DOMID_SELF;
    expect_true("the maximum is not less",
                HYPERVISOR_memory_op(XENMEM_maximum_reservation, &self) >= before);
    expect_true("the host has a last page", HYPERVISOR_memory_op(XENMEM_maximum_ram_page, 0) > 0);

    uint64_t *page = page_alloc();
    pfn_t pfn = pfn_of(page);
    xen_pfn_t frame = mfn_of(page);
    struct xen_memory_reservation give = {
        .extent_start = &frame, .nr_extents = 1, .domid = DOMID_SELF};
    if (HYPERVISOR_update_va_mapping((unsigned long)page, 0, UVMF_INVLPG))
        panic("cannot unmap");
    expect_result("decrease_reservation",
                  HYPERVISOR_memory_op(XENMEM_decrease_reservation, &give), 1);
    expect_result("frames less", before - reservation(), 1);
    expect_result("map the frame that was given back",
                  HYPERVISOR_update_va_mapping((unsigned long)page, pte_make(frame, PTE_READ_WRITE),
                                               UVMF_INVLPG), -XEN_EBUSY);
    expect_result("give it back again",
                  HYPERVISOR_memory_op(XENMEM_decrease_reservation, &give), 0);

    xen_pfn_t place = pfn;
    struct xen_memory_reservation take = {
        .extent_start = &place, .nr_extents = 1, .domid = DOMID_SELF};
    expect_result("populate_physmap", HYPERVISOR_memory_op(XENMEM_populate_physmap, &take), 1);
    expect_result("frames less", before - reservation(), 0);
    expect_true("M2P has the place", pfn_of_mfn(place) == pfn);
    expect_result("map it",
                  HYPERVISOR_update_va_mapping((unsigned long)page, pte_make(place, PTE_READ_WRITE),
                                               UVMF_INVLPG), 0);
    expect_fault("write it", try_write(page, 1), NO_FAULT);

    xen_pfn_t more = 0;
    struct xen_memory_reservation increase = {
        .extent_start = &more, .nr_extents = 1, .domid = DOMID_SELF};
    long result = HYPERVISOR_memory_op(XENMEM_increase_reservation, &increase);
    expect_true("increase_reservation answers 0 or 1", result == 0 || result == 1);
}
