/*
 * test: attack-event-closing
 * Ports are closed in their handler, while pending, masked, twice, and closed and bound anew at
 * once. A careless hypervisor delivers to a port that is free, or frees one that is in use.
 */
#include "guest.h"

static unsigned int handled;

static void close_it(evtchn_port_t port)
{
    handled++;
    if (port_close(port))
        failure("port %u cannot be closed in its handler", port);
    if (port_close(port) == 0)
        failure("port %u was closed twice", port);
}

void test_main(void)
{
    if (bind_ipi(0) == -XEN_ENOSYS) {
        skip("no event channels");
        return;
    }
    set_event_handler(close_it);
    events_enable();
    for (unsigned int i = 0; i < 500; i++) {
        long port = bind_ipi(0);
        if (port < 0)
            panic("no port: %E", port);
        port_unmask((evtchn_port_t)port);
        port_send((evtchn_port_t)port);
    }
    expect_value("handled and closed", handled, 500);
    events_disable();
    refusals_begin();
    for (unsigned int i = 0; i < 500; i++) {
        long port = bind_ipi(0);
        port_send((evtchn_port_t)port);
        port_close((evtchn_port_t)port);
        refusal(port_send((evtchn_port_t)port), (uint64_t)port);
    }
    refusals_end("sends on closed ports");
    /* A port that is pending when it is freed is not pending for the next owner. */
    long first = bind_ipi(0);
    port_send((evtchn_port_t)first);
    port_close((evtchn_port_t)first);
    long second = bind_ipi(0);
    expect_true("the next owner begins clean",
                second != first || !port_pending((evtchn_port_t)second));
    struct evtchn_reset reset = {.dom = DOMID_SELF};
    expect_result("all of them away", HYPERVISOR_event_channel_op(EVTCHNOP_reset, &reset), 0);
    refused("send on one that was", port_send((evtchn_port_t)second));
}
