/* Time: there is no PIT and no APIC. The clock is computed, the timer a hypercall and an event. */
#include "clock.h"

#include "domain.h"
#include "events.h"

static void (*on_tick)(void);

static void timer_event(evtchn_port_t port)
{
    (void)port;
    if (on_tick)
        on_tick();
}

void clock_start(void (*tick)(void))
{
    on_tick = tick;
    long port = events_bind_virq(VIRQ_TIMER, timer_event);
    if (port < 0)
        panic("the timer cannot be bound: %ld", port);
    /* A domain may start with a tick every 10 ms that it did not ask for. */
    HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, 0);
}

static uint64_t read_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* A 32.32 fixed-point product, in halves, because the counter may have run for long. */
static uint64_t scale(uint64_t ticks, uint32_t factor)
{
    return (ticks >> 32) * factor + ((ticks & 0xffffffff) * factor >> 32);
}

uint64_t clock_now(void)
{
    const volatile struct vcpu_time_info *time = &this_vcpu()->time;
    uint32_t version;
    uint64_t now;

    /* The hypervisor makes the version odd, writes, and makes it even again. */
    do {
        version = time->version;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        uint64_t ticks = read_tsc() - time->tsc_timestamp;
        int shift = time->tsc_shift;
        ticks = shift < 0 ? ticks >> -shift : ticks << shift;
        now = time->system_time + scale(ticks, time->tsc_to_system_mul);
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while (version & 1 || version != time->version);
    return now;
}

void clock_set(uint64_t deadline)
{
    HYPERVISOR_set_timer_op(deadline);
}
