/*
 * test: attack-pointers-entries
 * Bad pointers in set_trap_table, callback_op, multicall, xen_version, console_io and sched_op: see
 * attack.h for the places, which for results are also read-only pages and page tables.
 */
#include "guest.h"

static long traps(void *p) { return HYPERVISOR_set_trap_table(p); }
static long callback(void *p) { return HYPERVISOR_callback_op(CALLBACKOP_register, p); }
static long unregister(void *p) { return HYPERVISOR_callback_op(CALLBACKOP_unregister, p); }
static long multi(void *p) { return HYPERVISOR_multicall(p, 1); }
static long console(void *p) { return HYPERVISOR_console_io(CONSOLEIO_write, 8, p); }
static long extraversion(void *p) { return HYPERVISOR_xen_version(XENVER_extraversion, p); }
static long capabilities(void *p) { return HYPERVISOR_xen_version(XENVER_capabilities, p); }
static long changeset(void *p) { return HYPERVISOR_xen_version(XENVER_changeset, p); }
static long platform(void *p) { return HYPERVISOR_xen_version(XENVER_platform_parameters, p); }
static long features(void *p) { return HYPERVISOR_xen_version(XENVER_get_features, p); }
static long compile(void *p) { return HYPERVISOR_xen_version(XENVER_compile_info, p); }
static long handle(void *p) { return HYPERVISOR_xen_version(XENVER_guest_handle, p); }
static long command_line(void *p) { return HYPERVISOR_xen_version(XENVER_commandline, p); }
static long down(void *p) { return HYPERVISOR_sched_op(SCHEDOP_shutdown, p, 0); }
static long poll(void *p) { return HYPERVISOR_sched_op(SCHEDOP_poll, p, 0); }

void test_main(void)
{
    expect_pointers("set_trap_table", traps, sizeof(struct trap_info), -XEN_EFAULT);
    expect_pointers("callback register", callback, sizeof(struct callback_register), -XEN_EFAULT);
    expect_pointers("callback unregister", unregister, sizeof(struct callback_unregister),
                    -XEN_EFAULT);
    expect_output_pointers("multicall", multi, sizeof(struct multicall_entry), -XEN_EFAULT);
    expect_pointers("console write", console, 8, -XEN_EFAULT);
    expect_output_pointers("extraversion", extraversion, 16, -XEN_EFAULT);
    expect_output_pointers("capabilities", capabilities, 1024, -XEN_EFAULT);
    expect_output_pointers("changeset", changeset, 64, -XEN_EFAULT);
    expect_output_pointers("platform_parameters", platform, sizeof(struct xen_platform_parameters), -XEN_EFAULT);
    expect_output_pointers("get_features", features, 8, -XEN_EFAULT);
    expect_output_pointers("compile_info", compile, 144, -XEN_EFAULT);
    expect_output_pointers("guest_handle", handle, 16, -XEN_EFAULT);
    expect_output_pointers("commandline", command_line, 1024, -XEN_EFAULT);
    expect_pointers("shutdown", down, 4, -XEN_EFAULT);
    expect_pointers("poll", poll, sizeof(struct sched_poll), -XEN_EFAULT);
}
