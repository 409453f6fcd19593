/*
 * test: attack-poll
 * SCHEDOP_poll with numbers of ports beyond all, lists in the hypervisor, ports that do not exist
 * and timeouts in the past and at the end of time. Only the last could sleep, and has an event
 * waiting.
 */
#include "guest.h"

static long poll(void *ports, uint32_t count, uint64_t timeout)
{
    struct sched_poll poll = {.ports = ports, .nr_ports = count, .timeout = timeout};
    return HYPERVISOR_sched_op(SCHEDOP_poll, &poll, 0);
}

void test_main(void)
{
    static evtchn_port_t ports[128];
    if (poll(ports, 0, 1) == -XEN_ENOSYS) {
        skip("no poll");
        return;
    }
    refusals_begin();
    static const uint32_t counts[] = {129, 0x1000, 0x40000000, 0x7fffffff, 0x80000000, 0xffffffff};
    for (unsigned int i = 0; i < 6; i++)
        refusal(poll(ports, counts[i], 1), counts[i]);
    const uint64_t places[] = {HYPERVISOR_ADDRESS, hypervisor_start(),
                                      NON_CANONICAL_ADDRESS, UNMAPPED_ADDRESS, ~0ul};
    for (unsigned int i = 0; i < 5; i++)
        refusal(poll((void *)places[i], 4, 1), places[i]);
    ports[0] = 0xffffffff;
    refusal(poll(ports, 1, 1), 1);
    ports[0] = 1 << 17;
    refusal(poll(ports, 1, 1), 2);
    refusals_end("lists and numbers that are none");
    long port = bind_ipi(0);
    ports[0] = (evtchn_port_t)port;
    port_send(ports[0]);
    expect_result("an event waits", poll(ports, 1, ~0ul), 0);
    expect_result("a time in the past", poll(ports, 0, 1), 0);
}
