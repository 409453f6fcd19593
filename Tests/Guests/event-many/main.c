/*
 * test: event-many
 * The two-level form has 4096 ports, of which port 0 is never used: one after the other can be had
 * until the table is full, and each delivers to its own bit. All can be closed again.
 */
#include "guest.h"

static uint32_t last_port;
static unsigned int wrong;

static void handle(evtchn_port_t port)
{
    if (port != last_port)
        wrong++;
    last_port = 0;
}

void test_main(void)
{
    set_event_handler(handle);
    long port, highest = 0, lowest = 0, count = 0;
    while ((port = bind_ipi(0)) > 0) {
        if (!lowest)
            lowest = port;
        highest = port;
        count++;
    }
    expect_result("when all are used", port, -XEN_ENOSPC);
    expect_result("ports", highest, EVTCHN_2L_NR_CHANNELS - 1);
    expect_true("without gaps", highest - lowest + 1 == count);
    events_enable();
    unsigned int lost = 0;
    for (port = lowest; port <= highest; port++) {
        last_port = (uint32_t)port;
        port_unmask((evtchn_port_t)port);
        port_send((evtchn_port_t)port);
        if (last_port)
            lost++;
    }
    events_disable();
    expect_value("lost events", lost, 0);
    expect_value("events on a wrong port", wrong, 0);
    long errors = 0;
    for (port = lowest; port <= highest; port++)
        errors |= port_close((evtchn_port_t)port);
    expect_result("close all", errors, 0);
    expect_result("the lowest is free again", bind_ipi(0) - lowest, 0);
}
