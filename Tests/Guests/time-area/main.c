/*
 * test: time-area
 * A registered time area is a second copy of the vcpu's time parameters at a place of the guest's
 * choice, which user mode may be allowed to read. Both give the same time.
 */
#include "guest.h"

void test_main(void)
{
    user_initialise();
    struct vcpu_time_info *area = user_data();
    struct vcpu_register_time_memory_area registration = {.addr.h = area};
    expect_result("register it",
                  HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &registration), 0);
    struct sched_poll poll = {.timeout = system_time() + 5 * MILLISECONDS};
    HYPERVISOR_sched_op(SCHEDOP_poll, &poll, 0);
    expect_true("it was written", area->tsc_to_system_mul != 0);
    expect_true("the factor agrees", area->tsc_to_system_mul == this_vcpu()->time.tsc_to_system_mul);
    uint64_t one = system_time(), two = time_from(area), three = system_time();
    expect_true("the times agree", two + MILLISECONDS >= one && two <= three + MILLISECONDS);
    struct vcpu_register_time_memory_area *bad = (void *)UNMAPPED_ADDRESS;
    expect_result("bad pointer",
                  HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, bad), -XEN_EFAULT);
}
