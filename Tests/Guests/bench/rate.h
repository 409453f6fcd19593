/*
 * How many operations one or two vcpus carry out in a second, all at once: the command line `rate=mmu`
 * or `rate=event`, and with a 2 behind it on two vcpus. Domains that run it beside each other count over
 * the same seconds of system time, so that their figures can be added. .ci/bench-processors makes a
 * table of them.
 */
#ifndef BENCH_RATE_H
#define BENCH_RATE_H

#include "guest.h"
#include "second.h"

#define RATE_BEGIN (3 * SECONDS)
#define RATE_END (6 * SECONDS)
#define RATE_PIECE 64 /* Operations between two looks at the clock. */

static struct {
    struct mmu_update updates[2];
    evtchn_port_t port;
    uint64_t count;
} rate[2] __attribute__((aligned(PAGE_SIZE)));
static bool rate_is_mmu;

/* Each vcpu has a page-table entry and a port of its own. */
static void rate_prepare(unsigned int vcpu)
{
    const uint64_t address = 0x10000000000 + vcpu * 2097152ul;
    pte_t pages[2];
    for (unsigned int which = 0; which < 2; which++)
        pages[which] = pte_make(mfn_of(page_alloc()), PTE_READ_WRITE);
    if (map(address, pages[0]))
        panic("no page table for the updates");
    for (unsigned int which = 0; which < 2; which++) {
        rate[vcpu].updates[which].ptr = machine_address(entry_of(top_table(), address, 1));
        rate[vcpu].updates[which].val = pages[which];
    }
    long port = bind_ipi(vcpu);
    if (port < 0)
        panic("no port: %E", port);
    rate[vcpu].port = (evtchn_port_t)port;
    port_unmask(rate[vcpu].port);
}

/* Upcalls are masked, so that the event is taken back at once and only the sending counts. */
static long rate_event(unsigned int vcpu)
{
    struct evtchn_send send = {.port = rate[vcpu].port};
    long result = HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
    shared_info->vcpu_info[vcpu].evtchn_upcall_pending = 0;
    shared_info->vcpu_info[vcpu].evtchn_pending_sel = 0;
    __atomic_fetch_and(&shared_info->evtchn_pending[0], ~(1ul << send.port), __ATOMIC_SEQ_CST);
    return result;
}

static void rate_run(unsigned int vcpu)
{
    const volatile struct vcpu_time_info *clock = &shared_info->vcpu_info[vcpu].time;
    while (time_from(clock) < RATE_BEGIN)
        ;
    uint64_t count = 0;
    long failed = 0;
    while (time_from(clock) < RATE_END && !failed) {
        for (unsigned int round = 0; round < RATE_PIECE; round++)
            failed |= rate_is_mmu
                ? HYPERVISOR_mmu_update(&rate[vcpu].updates[round & 1], 1, 0, DOMID_SELF)
                : rate_event(vcpu);
        count += RATE_PIECE;
    }
    if (failed)
        failure("rate: a call answers %E", failed);
    rate[vcpu].count = count;
}

static void rate_run_second(void)
{
    rate_run(1);
    while (!second_shall_stop())
        ;
}

static void measure_rate(const char *name)
{
    bool has_second = strcmp(name, "mmu2") == 0 || strcmp(name, "event2") == 0;
    rate_is_mmu = strncmp(name, "mmu", 3) == 0;
    this_vcpu()->evtchn_upcall_mask = 1;
    rate_prepare(0);
    if (has_second) {
        rate_prepare(1);
        HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 1, 0);
        if (!second_start(rate_run_second))
            return;
    }
    rate_run(0);
    if (has_second)
        second_stop();
    print("rate: %lu\n", (rate[0].count + rate[1].count) / ((RATE_END - RATE_BEGIN) / SECONDS));
}

#endif /* BENCH_RATE_H */
