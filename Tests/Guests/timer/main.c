/*
 * test: timer
 * set_timer_op raises VIRQ_TIMER when system time reaches the deadline, not before; a new deadline
 * replaces the old, 0 takes it away, and a deadline in the past is due at once. The one-shot and
 * periodic timers of vcpu_op do the same by other means.
 */
#include "guest.h"

static volatile unsigned int count;
static volatile uint64_t when;

static void handle(evtchn_port_t port)
{
    count++;
    when = system_time();
}

static void wait_until(uint64_t time)
{
    while (system_time() < time)
        barrier();
}

/* An emulator's host may stall: what must come is waited for, half a second at most. */
static void wait_for(unsigned int events)
{
    uint64_t end = system_time() + SECONDS / 2;
    while (count < events && system_time() < end)
        barrier();
}

void test_main(void)
{
    set_event_handler(handle);
    evtchn_port_t timer = (evtchn_port_t)bind_virq(VIRQ_TIMER, 0);
    expect_result("stop the periodic timer", HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, 0),
                  0);
    port_clear(timer);
    port_unmask(timer);
    events_enable();
    count = 0;

    uint64_t deadline = system_time() + 20 * MILLISECONDS;
    expect_result("set a deadline", HYPERVISOR_set_timer_op(deadline), 0);
    wait_for(1);
    expect_value("events", count, 1);
    expect_true("not early", when >= deadline);
    expect_true("not late", when < deadline + SECONDS / 2);

    uint64_t now = system_time();
    HYPERVISOR_set_timer_op(now + 10 * MILLISECONDS);
    HYPERVISOR_set_timer_op(now + 400 * MILLISECONDS);
    wait_until(now + 30 * MILLISECONDS);
    expect_value("the first deadline was replaced, events", count, 1);
    wait_for(2);
    expect_value("the second counts, events", count, 2);

    HYPERVISOR_set_timer_op(system_time() + 200 * MILLISECONDS);
    expect_result("take the deadline away", HYPERVISOR_set_timer_op(0), 0);
    wait_until(system_time() + 250 * MILLISECONDS);
    expect_value("events", count, 2);
    expect_result("a deadline in the past", HYPERVISOR_set_timer_op(1), 0);
    wait_for(3);
    expect_value("events", count, 3);

    struct vcpu_set_singleshot_timer single = {.timeout_abs_ns = system_time() + 10 * MILLISECONDS};
    expect_result("single shot", HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, &single), 0);
    wait_for(4);
    expect_value("events", count, 4);
    single.timeout_abs_ns = system_time() + 200 * MILLISECONDS;
    HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, &single);
    expect_result("stop it", HYPERVISOR_vcpu_op(VCPUOP_stop_singleshot_timer, 0, 0), 0);
    wait_until(system_time() + 250 * MILLISECONDS);
    expect_value("events", count, 4);

    struct vcpu_set_periodic_timer periodic = {.period_ns = 10 * MILLISECONDS};
    expect_result("periodic", HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, &periodic), 0);
    count = 0;
    wait_until(system_time() + 105 * MILLISECONDS);
    expect_true("ten events or, after a stall, fewer", count >= 2 && count <= 12);
    expect_result("stop it", HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, 0), 0);
    count = 0;
    wait_until(system_time() + 30 * MILLISECONDS);
    expect_value("events", count, 0);
    periodic.period_ns = 999999;
    expect_result("a period below a millisecond",
                  HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, &periodic), -XEN_EINVAL);
    events_disable();
}
