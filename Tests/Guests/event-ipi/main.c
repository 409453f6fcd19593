/*
 * test: event-ipi
 * An IPI port of the vcpu itself: sending sets the pending bit, and the upcall comes at once when
 * neither the port nor the vcpu is masked, later when the mask goes. Events are edges: two sends
 * before the first is taken are one event.
 */
#include "guest.h"

static volatile unsigned int count;
static volatile evtchn_port_t last;

static void handle(evtchn_port_t port)
{
    count++;
    last = port;
}

void test_main(void)
{
    set_event_handler(handle);
    long port = bind_ipi(0);
    expect_true("bind gives a port", port > 0);
    expect_result("send with the port masked", port_send((evtchn_port_t)port), 0);
    expect_true("pending", port_pending((evtchn_port_t)port));
    events_enable();
    expect_value("no upcall", count, 0);
    port_unmask((evtchn_port_t)port);
    expect_value("upcall on unmask", count, 1);
    expect_true("for this port", last == (evtchn_port_t)port);
    expect_true("not pending", !port_pending((evtchn_port_t)port));

    expect_result("send", port_send((evtchn_port_t)port), 0);
    expect_value("upcall at once", count, 2);
    events_disable();
    expect_result("send with events disabled", port_send((evtchn_port_t)port), 0);
    expect_result("send again", port_send((evtchn_port_t)port), 0);
    expect_value("no upcall", count, 2);
    expect_value("upcall is pending", this_vcpu()->evtchn_upcall_pending, 1);
    events_enable();
    expect_value("one upcall for both", count, 3);
    expect_value("upcall is not pending", this_vcpu()->evtchn_upcall_pending, 0);
    events_disable();
    expect_result("close", port_close((evtchn_port_t)port), 0);
    expect_result("send on the closed port", port_send((evtchn_port_t)port), -XEN_EINVAL);
}
