/*
 * test: event-ports
 * Ports are allocated from the lowest free number, tell what they are, and are free again once
 * closed. A loop between two ports of the domain delivers to the other end; closing one end leaves
 * the other unbound.
 */
#include "guest.h"

static void tell(const char *what, evtchn_port_t port, uint32_t expected)
{
    struct evtchn_status status = {.dom = DOMID_SELF, .port = port};
    long result = HYPERVISOR_event_channel_op(EVTCHNOP_status, &status);
    if (result) {
        expect_result(what, result, 0);
        return;
    }
    expect_value(what, status.status, expected);
}

void test_main(void)
{
    struct evtchn_alloc_unbound alloc = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    expect_result("allocate", HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &alloc), 0);
    evtchn_port_t one = alloc.port;
    tell("status: unbound", one, EVTCHNSTAT_unbound);
    expect_result("send on the unbound port", port_send(one), 0);

    struct evtchn_bind_interdomain bind = {.remote_dom = DOMID_SELF, .remote_port = one};
    expect_result("bind to it", HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &bind), 0);
    evtchn_port_t two = bind.local_port;
    expect_value("the next number", two - one, 1);
    tell("status: interdomain", one, EVTCHNSTAT_interdomain);
    tell("status: interdomain", two, EVTCHNSTAT_interdomain);
    expect_true("the new port is pending", port_pending(two));
    port_clear(one);
    port_clear(two);
    expect_result("send on one", port_send(one), 0);
    expect_true("the other is pending", port_pending(two));
    expect_true("it is not", !port_pending(one));
    expect_result("bind again", HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &bind),
                  -XEN_EINVAL);

    expect_result("close the second", port_close(two), 0);
    tell("status: closed", two, EVTCHNSTAT_closed);
    tell("status: unbound", one, EVTCHNSTAT_unbound);
    long ipi = bind_ipi(0);
    expect_true("the number is used again", ipi == (long)two);
    tell("status: ipi", two, EVTCHNSTAT_ipi);
    long virq = bind_virq(VIRQ_DEBUG, 0);
    struct evtchn_status status = {.dom = DOMID_SELF, .port = (evtchn_port_t)virq};
    expect_result("status of a virtual interrupt",
                  HYPERVISOR_event_channel_op(EVTCHNOP_status, &status), 0);
    expect_value("status", status.status, EVTCHNSTAT_virq);
    expect_value("virq", status.u.virq, VIRQ_DEBUG);
    expect_value("vcpu", status.vcpu, 0);
    expect_result("close all", port_close(one) | port_close(two) | port_close((evtchn_port_t)virq), 0);
}
