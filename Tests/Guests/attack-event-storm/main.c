/*
 * test: attack-event-storm
 * A hundred thousand events to itself, on masked and unmasked ports, with upcalls masked and not,
 * and from the handler. A careless hypervisor counts or queues them, or delivers without an end.
 */
#include "guest.h"

static unsigned int handled, limit;
static evtchn_port_t storm;

static void again(evtchn_port_t port)
{
    handled++;
    if (handled < limit)
        port_send(storm);
}

void test_main(void)
{
    long port = bind_ipi(0);
    if (port == -XEN_ENOSYS) {
        skip("no event channels");
        return;
    }
    if (port < 0)
        panic("no port: %E", port);
    storm = (evtchn_port_t)port;
    for (unsigned int i = 0; i < 50000; i++)
        port_send(storm);
    expect_true("masked: one event waits", port_pending(storm));
    set_event_handler(again);
    port_unmask(storm);
    for (unsigned int i = 0; i < 20000; i++)
        port_send(storm);
    expect_value("upcalls masked: none", handled, 0);
    events_enable();
    expect_value("then one", handled, 1);
    limit = 20000;
    port_send(storm);
    while (handled < limit)
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
    expect_value("from the handler", handled, 20000);
    for (unsigned int i = 0; i < 20000; i++) {
        port_mask(storm);
        port_send(storm);
        port_unmask(storm);
    }
    expect_true("each unmasked one came", handled >= 40000);
    events_disable();
}
