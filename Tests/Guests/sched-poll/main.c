/*
 * test: sched-poll
 * poll sleeps until a port is pending or the time is over, without an upcall and whatever the mask.
 * It returns at once for a pending port, and refuses what it cannot read.
 */
#include "guest.h"

static long poll(evtchn_port_t *ports, uint32_t count, uint64_t timeout)
{
    struct sched_poll poll = {.ports = ports, .nr_ports = count, .timeout = timeout};
    return HYPERVISOR_sched_op(SCHEDOP_poll, &poll, 0);
}

void test_main(void)
{
    evtchn_port_t port = (evtchn_port_t)bind_ipi(0);
    uint64_t start = system_time();
    expect_result("poll with a timeout", poll(&port, 1, start + 20 * MILLISECONDS), 0);
    uint64_t slept = system_time() - start;
    expect_true("it took the time", slept >= 20 * MILLISECONDS);
    expect_true("and not much longer", slept < 2 * SECONDS);
    expect_result("poll with a deadline in the past", poll(&port, 1, start), 0);

    port_send(port);
    start = system_time();
    expect_result("poll of a pending port", poll(&port, 1, start + 5 * SECONDS), 0);
    expect_true("it returned at once", system_time() - start < SECONDS);
    expect_true("the port is still pending", port_pending(port));
    port_clear(port);
    start = system_time();
    expect_result("poll of no ports", poll(0, 0, start + 10 * MILLISECONDS), 0);
    expect_true("it took the time", system_time() - start >= 10 * MILLISECONDS);

    evtchn_port_t timer = (evtchn_port_t)bind_virq(VIRQ_TIMER, 0);
    HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, 0);
    port_clear(timer);
    start = system_time();
    HYPERVISOR_set_timer_op(start + 20 * MILLISECONDS);
    expect_result("poll of the timer", poll(&timer, 1, 0), 0);
    expect_true("it took the time", system_time() - start >= 20 * MILLISECONDS);
    expect_true("the timer is pending", port_pending(timer));

    expect_result("129 ports", poll(&port, 129, 1), -XEN_EINVAL);
    expect_result("ports at an unmapped address",
                  poll((evtchn_port_t *)UNMAPPED_ADDRESS, 1, 1), -XEN_EFAULT);
    evtchn_port_t beyond = 0xffffffff;
    expect_result("a port that does not exist", poll(&beyond, 1, 1), -XEN_EINVAL);
}
