/*
 * test: vcpu-op
 * vcpu_op tells of the vcpu itself and refuses vcpus that do not exist, states that make no sense
 * and bad pointers.
 */
#include "guest.h"

void test_main(void)
{
    void *bad = (void *)UNMAPPED_ADDRESS;
    expect_result("is_up of this vcpu", HYPERVISOR_vcpu_op(VCPUOP_is_up, 0, 0), 1);
    expect_result("is_up of vcpu 1000", HYPERVISOR_vcpu_op(VCPUOP_is_up, 1000, 0), -XEN_ENOENT);
    expect_result("is_up of the vcpu after the last", HYPERVISOR_vcpu_op(VCPUOP_is_up, 1, 0),
                  -XEN_ENOENT);
    expect_result("is_up, number with all bits", HYPERVISOR_vcpu_op(VCPUOP_is_up, 0xffffffff, 0),
                  -XEN_ENOENT);
    expect_result("up while up", HYPERVISOR_vcpu_op(VCPUOP_up, 0, 0), 0);
    static struct vcpu_guest_context context;
    expect_result("initialise again", HYPERVISOR_vcpu_op(VCPUOP_initialise, 0, &context),
                  -XEN_EEXIST);
    expect_result("initialise with a bad pointer", HYPERVISOR_vcpu_op(VCPUOP_initialise, 0, bad),
                  -XEN_EFAULT);
    struct vcpu_runstate_info info = {.state = -1};
    expect_result("get_runstate_info", HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &info), 0);
    expect_value("state", (uint64_t)info.state, RUNSTATE_running);
    expect_true("it has run", info.time[RUNSTATE_running] > 0);
    expect_result("get_runstate_info with a bad pointer",
                  HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, bad), -XEN_EFAULT);
    expect_result("single shot with a bad pointer",
                  HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, bad), -XEN_EFAULT);
    expect_result("periodic with a bad pointer",
                  HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, bad), -XEN_EFAULT);
    expect_result("vcpu_info with a bad pointer",
                  HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, bad), -XEN_EFAULT);
    expect_result("unknown operation", HYPERVISOR_vcpu_op(14, 0, bad), -XEN_ENOSYS);
    expect_result("negative operation", HYPERVISOR_vcpu_op(-1, 0, bad), -XEN_ENOSYS);
}
