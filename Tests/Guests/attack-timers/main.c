/*
 * test: attack-timers
 * Timeouts in the past, now, at the end of all time and negative, a hundred thousand of them, and
 * timers with periods of a nanosecond. A careless hypervisor lives in its own timer interrupt from
 * then on.
 */
#include "guest.h"

void test_main(void)
{
    if (HYPERVISOR_set_timer_op(0) == -XEN_ENOSYS) {
        skip("no timers");
        return;
    }
    static const uint64_t times[] = {1, 0x7fffffffffffffff, 0x8000000000000000, ~0ul, 1ull << 32};
    for (unsigned int i = 0; i < 20000; i++) {
        HYPERVISOR_set_timer_op(times[i % 5]);
        HYPERVISOR_set_timer_op(system_time());
        HYPERVISOR_set_timer_op(system_time() + i % 100);
    }
    HYPERVISOR_set_timer_op(0);
    static const uint64_t periods[] = {0, 1, 999, 999999, 1ull << 63, ~0ul, 0x7fffffffffffffff};
    for (unsigned int i = 0; i < 7; i++) {
        struct vcpu_set_periodic_timer periodic = {.period_ns = periods[i]};
        HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, &periodic);
        struct vcpu_set_singleshot_timer single = {.timeout_abs_ns = periods[i],
                                                   .flags = (uint32_t)i};
        HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, &single);
        single.flags = 0xffffffff;
        HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, &single);
        for (unsigned int turn = 0; turn < 1000; turn++)
            HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
    }
    HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, 0);
    HYPERVISOR_vcpu_op(VCPUOP_stop_singleshot_timer, 0, 0);
    uint64_t before = system_time();
    for (unsigned int i = 0; i < 1000; i++)
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
    expect_true("time goes on", system_time() > before);
}
