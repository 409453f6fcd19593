/*
 * test: event-upcall
 * The upcall is entered with events masked and the interrupted state in its frame; returning from
 * it by the iret hypercall restores the mask. An event that comes during the handler is taken after
 * it, not inside it, unless the handler enables events itself.
 */
#include "guest.h"

static evtchn_port_t first, second;
static unsigned int depth, deepest, count;
static bool enable_inside;
static bool masked_inside = true;

static void handle(evtchn_port_t port)
{
    count++;
    depth++;
    if (depth > deepest)
        deepest = depth;
    masked_inside = masked_inside && !events_enabled();
    if (port == first) {
        port_send(second);
        if (enable_inside)
            events_enable();
        events_disable();
    }
    depth--;
}

void test_main(void)
{
    set_event_handler(handle);
    first = (evtchn_port_t)bind_ipi(0);
    second = (evtchn_port_t)bind_ipi(0);
    port_unmask(first);
    port_unmask(second);
    events_enable();
    port_send(first);
    expect_value("handlers run", count, 2);
    expect_value("depth", deepest, 1);
    expect_true("events masked inside", masked_inside);
    expect_true("events enabled after", events_enabled());

    count = deepest = 0;
    enable_inside = true;
    port_send(first);
    expect_value("with events enabled inside, handlers run", count, 2);
    expect_value("depth", deepest, 2);
    expect_true("events enabled after", events_enabled());
    events_disable();
}
