/*
 * test: sched-block
 * block clears the mask and sleeps until an event comes; the upcall runs before it returns. An
 * event that is pending already does not get lost: block then returns at once. yield only gives
 * way.
 */
#include "guest.h"

static volatile unsigned int count;

static void handle(evtchn_port_t port)
{
    count++;
}

void test_main(void)
{
    set_event_handler(handle);
    evtchn_port_t timer = (evtchn_port_t)bind_virq(VIRQ_TIMER, 0);
    HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, 0);
    port_clear(timer);
    this_vcpu()->evtchn_upcall_pending = 0;
    port_unmask(timer);
    expect_result("yield", HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0), 0);
    uint64_t start = system_time();
    HYPERVISOR_set_timer_op(start + 20 * MILLISECONDS);
    expect_true("events are masked", !events_enabled());
    expect_result("block", HYPERVISOR_sched_op(SCHEDOP_block, 0, 0), 0);
    expect_true("it took the time", system_time() - start >= 20 * MILLISECONDS);
    expect_value("upcalls", count, 1);
    expect_true("events are enabled", events_enabled());

    events_disable();
    evtchn_port_t ipi = (evtchn_port_t)bind_ipi(0);
    port_unmask(ipi);
    port_send(ipi);
    expect_value("no upcall while masked", count, 1);
    expect_result("block with an event pending", HYPERVISOR_sched_op(SCHEDOP_block, 0, 0), 0);
    expect_value("upcalls", count, 2);
    events_disable();
}
