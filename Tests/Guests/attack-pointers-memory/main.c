/*
 * test: attack-pointers-memory
 * Bad pointers in every argument of mmu_update, mmuext_op, memory_op and set_gdt: see attack.h for
 * the places. Each must answer what the interface says and nothing may be written there.
 */
#include "guest.h"

static long mmu_list(void *p) { return HYPERVISOR_mmu_update(p, 1, 0, DOMID_SELF); }
static long mmuext_list(void *p) { return HYPERVISOR_mmuext_op(p, 1, 0, DOMID_SELF); }
static long gdt_list(void *p) { return HYPERVISOR_set_gdt(p, 512); }
static long current(void *p) { return HYPERVISOR_memory_op(XENMEM_current_reservation, p); }
static long maximum(void *p) { return HYPERVISOR_memory_op(XENMEM_maximum_reservation, p); }
static long maximum_gpfn(void *p) { return HYPERVISOR_memory_op(XENMEM_maximum_gpfn, p); }
static long exchange(void *p) { return HYPERVISOR_memory_op(XENMEM_exchange, p); }
static long machphys(void *p) { return HYPERVISOR_memory_op(XENMEM_machphys_mapping, p); }
static long increase(void *p) { return HYPERVISOR_memory_op(XENMEM_increase_reservation, p); }
static long decrease(void *p) { return HYPERVISOR_memory_op(XENMEM_decrease_reservation, p); }
static long populate(void *p) { return HYPERVISOR_memory_op(XENMEM_populate_physmap, p); }

static long decrease_extents(void *p)
{
    struct xen_memory_reservation list = {.extent_start = p, .nr_extents = 1, .domid = DOMID_SELF};
    return HYPERVISOR_memory_op(XENMEM_decrease_reservation, &list);
}

static long populate_extents(void *p)
{
    struct xen_memory_reservation list = {.extent_start = p, .nr_extents = 1, .domid = DOMID_SELF};
    return HYPERVISOR_memory_op(XENMEM_populate_physmap, &list);
}

void test_main(void)
{
    expect_pointers("mmu_update, list", mmu_list, sizeof(struct mmu_update), -XEN_EFAULT);
    expect_pointers("mmuext_op, list", mmuext_list, sizeof(struct mmuext_op), -XEN_EFAULT);
    expect_pointers("set_gdt, list", gdt_list, sizeof(xen_pfn_t), -XEN_EFAULT);
    expect_pointers("current_reservation", current, 2, -XEN_EFAULT);
    expect_pointers("maximum_reservation", maximum, 2, -XEN_EFAULT);
    expect_pointers("maximum_gpfn", maximum_gpfn, 2, -XEN_EFAULT);
    expect_pointers("exchange", exchange, sizeof(struct xen_memory_exchange), -XEN_EFAULT);
    expect_output_pointers("machphys_mapping", machphys, sizeof(struct xen_machphys_mapping),
                           -XEN_EFAULT);
    /* These count what they have done. */
    expect_pointers("increase_reservation", increase, sizeof(struct xen_memory_reservation), 0);
    expect_pointers("decrease_reservation", decrease, sizeof(struct xen_memory_reservation), 0);
    expect_pointers("populate_physmap", populate, sizeof(struct xen_memory_reservation), 0);
    expect_pointers("decrease_reservation, extents", decrease_extents, sizeof(xen_pfn_t), 0);
    expect_pointers("populate_physmap, extents", populate_extents, sizeof(xen_pfn_t), 0);
}
