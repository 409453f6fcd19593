/*
 * test: attack-event-exhaustion
 * Binds ports of every kind until there are no more, frees them and does it again. A careless
 * hypervisor takes its own memory without an end, or loses what was freed.
 */
#include "guest.h"

static unsigned int fill(void)
{
    unsigned int bound = 0;
    for (; bound < 200000; bound++) {
        struct evtchn_alloc_unbound unbound = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
        long result =
            bound % 2 ? bind_ipi(0) : HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &unbound);
        if (result < 0)
            break;
    }
    return bound;
}

void test_main(void)
{
    struct evtchn_status status = {.dom = DOMID_SELF};
    if (HYPERVISOR_event_channel_op(EVTCHNOP_status, &status) == -XEN_ENOSYS) {
        skip("no event channels");
        return;
    }
    unsigned int first = fill();
    expect_true("there is an end", first > 100 && first < 200000);
    refused("one more", bind_ipi(0));
    refused("a virtual interrupt", bind_virq(VIRQ_DEBUG, 0));
    refused("connecting", ({
                struct evtchn_bind_interdomain to = {.remote_dom = DOMID_SELF, .remote_port = 1};
                HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &to);
            }));
    for (unsigned int turn = 0; turn < 3; turn++) {
        for (evtchn_port_t port = 1; port <= first; port++)
            port_close(port);
        expect_true("as many again", fill() == first);
    }
}
