/*
 * test: device-operations
 * What physdev_op, platform_op and xenpmu_op answer to domain 0 where it asks for what is not there:
 * unknown operations, other versions, lines and processors that do not exist, pages that are none. A
 * kernel without devices calls them on its way up all the same, and must know refusals by their numbers.
 */
#include "guest.h"

static union {
    struct physdev_irq_status_query status;
    struct physdev_apic apic;
    struct physdev_irq irq;
    struct physdev_eoi eoi;
    struct physdev_map_pirq map;
    struct physdev_unmap_pirq unmap;
    struct physdev_manage_pci pci;
    struct physdev_pirq_eoi_gmfn page;
    struct physdev_setup_gsi gsi;
    struct physdev_get_free_pirq free;
    struct physdev_pci_device device;
    struct physdev_pci_mmcfg_reserved window;
    struct physdev_dbgp_op debug;
} request;
static struct xen_platform_op operation;
static struct xen_pmu_params counters;

static void physdev(const char *what, int op, long expected)
{
    expect_result(what, HYPERVISOR_physdev_op(op, &request), expected);
    memset(&request, 0, sizeof(request));
}

static void platform(const char *what, uint32_t op, long expected)
{
    operation.cmd = op;
    operation.interface_version = XENPF_INTERFACE_VERSION;
    expect_result(what, HYPERVISOR_platform_op(&operation), expected);
    memset(&operation, 0, sizeof(operation));
}

static void xenpmu(const char *what, unsigned int op, long expected)
{
    counters.version.maj = XENPMU_VER_MAJ;
    expect_result(what, HYPERVISOR_xenpmu_op(op, &counters), expected);
    memset(&counters, 0, sizeof(counters));
}

void test_main(void)
{
    physdev("IRQ_UNMASK_NOTIFY", PHYSDEVOP_IRQ_UNMASK_NOTIFY, 0);
    request.status.irq = 100000;
    physdev("status of line 100000", PHYSDEVOP_irq_status_query, -XEN_EINVAL);
    physdev("apic_read of no APIC", PHYSDEVOP_apic_read, -XEN_EINVAL);
    physdev("free_irq_vector", PHYSDEVOP_free_irq_vector, -XEN_ENOSYS);
    request.irq.irq = 100000;
    physdev("alloc_irq_vector of line 100000", PHYSDEVOP_alloc_irq_vector, 0);
    request.eoi.irq = 100000;
    physdev("eoi of line 100000", PHYSDEVOP_eoi, -XEN_EINVAL);
    request.map.domid = DOMID_SELF;
    request.map.type = 77;
    physdev("map_pirq of no type", PHYSDEVOP_map_pirq, -XEN_EINVAL);
    request.map.domid = DOMID_SELF;
    request.map.type = MAP_PIRQ_TYPE_GSI;
    request.map.index = 100000;
    request.map.pirq = -1;
    physdev("map_pirq of line 100000", PHYSDEVOP_map_pirq, -XEN_EINVAL);
    request.map.domid = 77;
    physdev("map_pirq for nobody", PHYSDEVOP_map_pirq, -XEN_ESRCH);
    request.unmap.domid = DOMID_SELF;
    request.unmap.pirq = 100000;
    physdev("unmap_pirq of what is not mapped", PHYSDEVOP_unmap_pirq, -XEN_EINVAL);
    request.unmap.domid = 77;
    physdev("unmap_pirq of nobody", PHYSDEVOP_unmap_pirq, -XEN_ESRCH);
    request.page.gmfn = FRAME_BEYOND;
    physdev("pirq_eoi_gmfn of no frame", PHYSDEVOP_pirq_eoi_gmfn_v2, -XEN_EINVAL);
    request.gsi.gsi = 100000;
    physdev("setup_gsi of line 100000", PHYSDEVOP_setup_gsi, -XEN_EINVAL);
    request.free.type = 77;
    physdev("get_free_pirq of no type", PHYSDEVOP_get_free_pirq, 0);
    request.device.bus = 0xee;
    physdev("pci_device_remove of none", PHYSDEVOP_pci_device_remove, -XEN_ENODEV);
    request.device.bus = 0xee;
    physdev("restore_msi_ext of none", PHYSDEVOP_restore_msi_ext, -XEN_ENODEV);
    request.device.bus = 0xee;
    physdev("prepare_msix of none", PHYSDEVOP_prepare_msix, -XEN_ENODEV);
    request.debug.op = 77;
    physdev("dbgp_op of no step", PHYSDEVOP_dbgp_op, 0);
    expect_result("physdev_op with a bad pointer",
                  HYPERVISOR_physdev_op(PHYSDEVOP_eoi, (void *)UNMAPPED_ADDRESS), -XEN_EFAULT);

    platform("platform operation 1000", 1000, -XEN_ENOSYS);
    operation.cmd = XENPF_settime64;
    operation.interface_version = 1;
    expect_result("another version", HYPERVISOR_platform_op(&operation), -XEN_EACCES);
    expect_result("platform_op with a bad pointer", HYPERVISOR_platform_op((void *)UNMAPPED_ADDRESS),
                  -XEN_EFAULT);
    operation.u.settime64.mbz = 1;
    platform("settime64 with mbz", XENPF_settime64, -XEN_EINVAL);
    operation.u.read_memtype.reg = 1000;
    platform("read_memtype of no register", XENPF_read_memtype, -XEN_EINVAL);
    operation.u.platform_quirk.quirk_id = 77;
    platform("no quirk", XENPF_platform_quirk, -XEN_EINVAL);
    operation.u.firmware_info.type = 77;
    platform("firmware_info of no type", XENPF_firmware_info, -XEN_EINVAL);
    operation.u.pcpu_info.xen_cpuid = 1000;
    platform("get_cpuinfo of processor 1000", XENPF_get_cpuinfo, 0);
    operation.u.cpu_ol.cpuid = 1000;
    platform("cpu_online of processor 1000", XENPF_cpu_online, -XEN_EINVAL);
    operation.u.cpu_ol.cpuid = 0;
    platform("cpu_offline of processor 0", XENPF_cpu_offline, -XEN_EOPNOTSUPP);
    operation.u.cpu_ol.cpuid = 1000;
    platform("cpu_offline of processor 1000", XENPF_cpu_offline, -XEN_EINVAL);
    platform("efi_runtime_call", XENPF_efi_runtime_call, -XEN_ENOSYS);
    operation.u.resource_op.nr_entries = 1000;
    platform("resource_op of 1000", XENPF_resource_op, -XEN_EINVAL);
    operation.u.core_parking.type = 77;
    platform("core_parking of no type", XENPF_core_parking, -XEN_EINVAL);

    xenpmu("xenpmu operation 1000", 1000, -XEN_EOPNOTSUPP);
    xenpmu("mode_get", XENPMU_mode_get, -XEN_EOPNOTSUPP);
    xenpmu("init", XENPMU_init, -XEN_EOPNOTSUPP);
    expect_result("xenpmu_op with a bad pointer",
                  HYPERVISOR_xenpmu_op(XENPMU_init, (void *)UNMAPPED_ADDRESS), -XEN_EOPNOTSUPP);
}
