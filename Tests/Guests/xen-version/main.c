/*
 * test: xen-version
 * Every question of xen_version is answered, text answers end with a zero byte, and the feature map
 * is that of a PV guest: its page tables are the hardware's. Bad pointers answer -EFAULT, unknown
 * questions -ENOSYS.
 */
#include "guest.h"

static bool has_end(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!text[i])
            return true;
    return false;
}

static bool feature(uint32_t map, unsigned int number)
{
    return map >> number & 1;
}

void test_main(void)
{
    long version = HYPERVISOR_xen_version(XENVER_version, 0);
    expect_value("major version", (uint64_t)version >> 16, 4);
    expect_result("page size", HYPERVISOR_xen_version(XENVER_pagesize, 0), PAGE_SIZE);

    static xen_extraversion_t extra;
    expect_result("extraversion", HYPERVISOR_xen_version(XENVER_extraversion, extra), 0);
    expect_true("extraversion ends", has_end(extra, sizeof(extra)));
    static struct xen_compile_info compile;
    expect_result("compile_info", HYPERVISOR_xen_version(XENVER_compile_info, &compile), 0);
    static xen_capabilities_info_t capabilities;
    expect_result("capabilities", HYPERVISOR_xen_version(XENVER_capabilities, capabilities), 0);
    expect_true("capabilities begin with xen-3.0-x86_64",
                strncmp(capabilities, "xen-3.0-x86_64", 14) == 0);
    static xen_changeset_info_t changeset;
    expect_result("changeset", HYPERVISOR_xen_version(XENVER_changeset, changeset), 0);
    static xen_commandline_t command_line;
    expect_result("commandline", HYPERVISOR_xen_version(XENVER_commandline, command_line), 0);
    static xen_domain_handle_t handle;
    expect_result("guest_handle", HYPERVISOR_xen_version(XENVER_guest_handle, handle), 0);
    static struct xen_platform_parameters parameters;
    expect_result("platform_parameters",
                  HYPERVISOR_xen_version(XENVER_platform_parameters, &parameters), 0);
    /* What 64 bits have by the ABI is the default of 32, the last 64 MB: no note of this guest asks for another. */
    expect_value("start of the hypervisor's range", parameters.virt_start,
                 PAGING_LEVELS == 4 ? HYPERVISOR_VIRT_START : 0xfc000000);

    struct xen_feature_info features = {.submap_idx = 0};
    expect_result("get_features", HYPERVISOR_xen_version(XENVER_get_features, &features), 0);
    expect_true("mmu_pt_update_preserve_ad",
                feature(features.submap, XENFEAT_mmu_pt_update_preserve_ad));
    expect_true("no writable_page_tables",
                !feature(features.submap, XENFEAT_writable_page_tables));
    expect_true("no auto_translated_physmap",
                !feature(features.submap, XENFEAT_auto_translated_physmap));
    expect_true("no supervisor_mode_kernel",
                !feature(features.submap, XENFEAT_supervisor_mode_kernel));
    features.submap_idx = 1;
    expect_result("get_features beyond the map",
                  HYPERVISOR_xen_version(XENVER_get_features, &features), -XEN_EINVAL);

    void *bad = (void *)UNMAPPED_ADDRESS;
    expect_result("extraversion to nowhere", HYPERVISOR_xen_version(XENVER_extraversion, bad),
                  -XEN_EFAULT);
    expect_result("capabilities to nowhere", HYPERVISOR_xen_version(XENVER_capabilities, bad),
                  -XEN_EFAULT);
    expect_result("get_features to nowhere", HYPERVISOR_xen_version(XENVER_get_features, bad),
                  -XEN_EFAULT);
    expect_result("platform_parameters to the hypervisor",
                  HYPERVISOR_xen_version(XENVER_platform_parameters, (void *)HYPERVISOR_ADDRESS),
                  -XEN_EFAULT);
    expect_result("unknown question", HYPERVISOR_xen_version(11, &features), -XEN_ENOSYS);
    expect_result("negative question", HYPERVISOR_xen_version(-1, &features), -XEN_ENOSYS);
}
