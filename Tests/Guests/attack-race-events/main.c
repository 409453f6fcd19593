/*
 * test: attack-race-events
 * Two vcpus bind, send on, move, unmask and close the same few ports at once. A careless hypervisor
 * sends through a port that the other has just freed, or gives one port to both.
 */
#include "guest.h"

#define PORTS 8

static volatile unsigned int turns;

static void storm(unsigned int seed)
{
    evtchn_port_t port = 1 + seed % PORTS;
    struct evtchn_bind_vcpu move = {.port = port, .vcpu = seed >> 8 & 1};
    switch (seed / PORTS % 6) {
    case 0:
        bind_ipi(seed >> 8 & 1);
        break;
    case 1:
        port_close(port);
        break;
    case 2:
        port_unmask(port);
        break;
    case 3:
        HYPERVISOR_event_channel_op(EVTCHNOP_bind_vcpu, &move);
        break;
    default:
        port_send(port);
        break;
    }
}

static void other(void)
{
    unsigned int seed = 99;
    while (!second_shall_stop()) {
        seed = seed * 1103515245 + 12345;
        storm(seed >> 8);
        turns++;
    }
}

void test_main(void)
{
    if (bind_ipi(0) < 0) {
        skip("no event channels");
        return;
    }
    if (!second_start(other))
        return;
    uint64_t start = system_time();
    unsigned int own = 0;
    for (; (own < 20000 || turns < 20000) && system_time() - start < 5 * SECONDS; own++)
        storm((unsigned int)random_next() >> 4);
    second_stop();
    for (evtchn_port_t port = 1; port < 4096; port++)
        port_close(port);
    expect_true("both stormed", own > 0 && turns > 0);
    unsigned int bound = 0;
    for (unsigned int i = 0; i < 100; i++)
        bound += bind_ipi(0) > 0;
    expect_value("ports afterwards", bound, 100);
}
