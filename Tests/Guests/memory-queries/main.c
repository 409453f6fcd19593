/*
 * test: memory-queries
 * The machine's memory map, where the M2P table lies, and the operations of memory_op that only
 * guests with a physical address space of their own may use.
 */
#include "guest.h"

static uint8_t buffer[64 * 20] __attribute__((aligned(8)));

static long machine_map(uint32_t room, void *where, uint32_t *count)
{
    struct xen_memory_map map = {.nr_entries = room, .buffer = where};
    long result = HYPERVISOR_memory_op(XENMEM_machine_memory_map, &map);
    *count = map.nr_entries;
    return result;
}

void test_main(void)
{
    void *bad = (void *)UNMAPPED_ADDRESS;
    uint32_t count, all;
    expect_result("machine_memory_map without a buffer", machine_map(0, 0, &all), 0);
    expect_true("it tells the number of regions", all > 1 && all < 64);
    expect_result("machine_memory_map", machine_map(64, buffer, &count), 0);
    expect_true("as many regions", count == all);
    uint64_t memory = 0, last = 0;
    bool sorted = true;
    for (uint32_t i = 0; i < count; i++) {
        struct xen_e820_entry region;
        memcpy(&region, buffer + i * 20, sizeof(region));
        sorted = sorted && region.addr >= last;
        last = region.addr + region.size;
        if (region.type == 1 && (mfn_of(buffer) << XEN_PAGE_SHIFT) - region.addr < region.size)
            memory = region.addr + region.size;
    }
    expect_true("regions are in order", sorted);
    expect_true("the guest's frames lie in RAM", memory > 0);
    expect_result("room for one more than there are", machine_map(all + 1, buffer, &count), 0);
    expect_result("room for as many as there are", machine_map(all, buffer, &count), -XEN_EINVAL);
    expect_result("a bad buffer", machine_map(64, bad, &count), -XEN_EFAULT);
    expect_result("a buffer in the hypervisor", machine_map(64, (void *)HYPERVISOR_ADDRESS, &count),
                  -XEN_EFAULT);
    expect_result("a bad argument", HYPERVISOR_memory_op(XENMEM_machine_memory_map, bad),
                  -XEN_EFAULT);
    struct xen_memory_map map = {.nr_entries = 64, .buffer = buffer};
    expect_result("memory_map", HYPERVISOR_memory_op(XENMEM_memory_map, &map), -XEN_ENOSYS);

    struct xen_machphys_mfn_list list = {.max_extents = 0, .extent_start = bad};
    expect_result("machphys_mfn_list, no room", HYPERVISOR_memory_op(XENMEM_machphys_mfn_list, &list),
                  0);
    expect_value("extents", list.nr_extents, 0);
    expect_result("machphys_compat_mfn_list",
                  HYPERVISOR_memory_op(XENMEM_machphys_compat_mfn_list, &list), -XEN_EOPNOTSUPP);

    struct xen_add_to_physmap add = {.domid = DOMID_SELF, .space = XENMAPSPACE_shared_info};
    expect_result("add_to_physmap", HYPERVISOR_memory_op(XENMEM_add_to_physmap, &add), -XEN_EACCES);
    add.space = XENMAPSPACE_gmfn_foreign;
    expect_result("a foreign frame", HYPERVISOR_memory_op(XENMEM_add_to_physmap, &add), -XEN_ENOSYS);
    add.space = XENMAPSPACE_shared_info;
    add.domid = 77;
    expect_result("of a domain that does not exist",
                  HYPERVISOR_memory_op(XENMEM_add_to_physmap, &add), -XEN_ESRCH);
    expect_result("a bad pointer", HYPERVISOR_memory_op(XENMEM_add_to_physmap, bad), -XEN_EFAULT);
    struct xen_remove_from_physmap remove = {.domid = DOMID_SELF};
    expect_result("remove_from_physmap", HYPERVISOR_memory_op(XENMEM_remove_from_physmap, &remove),
                  -XEN_EACCES);
    remove.domid = 77;
    expect_result("of a domain that does not exist",
                  HYPERVISOR_memory_op(XENMEM_remove_from_physmap, &remove), -XEN_ESRCH);
    struct xen_add_to_physmap_batch batch = {.domid = DOMID_SELF};
    expect_result("add_to_physmap_batch", HYPERVISOR_memory_op(XENMEM_add_to_physmap_batch, &batch),
                  -XEN_EACCES);
    struct xen_pod_target target = {.domid = DOMID_SELF};
    expect_result("get_pod_target", HYPERVISOR_memory_op(XENMEM_get_pod_target, &target),
                  -XEN_EINVAL);
    expect_result("set_pod_target", HYPERVISOR_memory_op(XENMEM_set_pod_target, &target),
                  -XEN_EINVAL);
    expect_result("a bad pointer", HYPERVISOR_memory_op(XENMEM_get_pod_target, bad), -XEN_EFAULT);
    struct xen_vnuma_topology_info numa = {.domid = DOMID_SELF};
    expect_result("get_vnumainfo", HYPERVISOR_memory_op(XENMEM_get_vnumainfo, &numa),
                  -XEN_EOPNOTSUPP);
    numa.domid = 77;
    expect_result("of a domain that does not exist",
                  HYPERVISOR_memory_op(XENMEM_get_vnumainfo, &numa), -XEN_ESRCH);
}
