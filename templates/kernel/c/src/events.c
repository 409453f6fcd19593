/*
 * Events, in the form of two levels. Bits in the shared page, one for each port:
 *
 *     vcpu_info.evtchn_upcall_pending   something is pending for this processor
 *       evtchn_pending_sel              in these words of
 *         evtchn_pending[]              these ports, unless in
 *           evtchn_mask[]
 */
#include "events.h"

#include "domain.h"

#define PORTS 1024u
#define WORD_BITS XEN_EVTCHN_WORDS /* as many bits as words */

static event_handler *handlers[PORTS];

void events_start(void)
{
    for (unsigned int word = 0; word < XEN_EVTCHN_WORDS; word++)
        shared_info->evtchn_mask[word] = ~0ul;
}

void events_deliver(void)
{
    struct vcpu_info *vcpu = this_vcpu();

    /* In this order: what comes after the exchange sets the flag again, and we are called again. */
    __atomic_store_n(&vcpu->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
    xen_ulong_t words = __atomic_exchange_n(&vcpu->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    for (; words; words &= words - 1) {
        unsigned int word = (unsigned int)__builtin_ctzl(words);
        xen_ulong_t bits = __atomic_load_n(&shared_info->evtchn_pending[word], __ATOMIC_SEQ_CST) &
                           ~shared_info->evtchn_mask[word];
        for (; bits; bits &= bits - 1) {
            evtchn_port_t port = word * WORD_BITS + (unsigned int)__builtin_ctzl(bits);
            /* First clear, then handle: an event that comes meanwhile is a new one. */
            __atomic_fetch_and(&shared_info->evtchn_pending[word], ~(bits & -bits),
                               __ATOMIC_SEQ_CST);
            if (port < PORTS && handlers[port])
                handlers[port](port);
        }
    }
}

long events_handle(evtchn_port_t port, event_handler *handler)
{
    if (port >= PORTS)
        return -XEN_ENOSPC;
    handlers[port] = handler;
    /* By hypercall: clearing the bit does not deliver what came while it was set. */
    struct evtchn_unmask unmask = {.port = port};
    return HYPERVISOR_event_channel_op(EVTCHNOP_unmask, &unmask);
}

long events_bind_virq(uint32_t virq, event_handler *handler)
{
    struct evtchn_bind_virq bind = {.virq = virq, .vcpu = 0};
    long error = HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, &bind);
    if (!error)
        error = events_handle(bind.port, handler);
    return error ? error : (long)bind.port;
}

void events_forget(evtchn_port_t port)
{
    if (port >= PORTS)
        return;
    __atomic_fetch_or(&shared_info->evtchn_mask[port / WORD_BITS], 1ul << port % WORD_BITS,
                      __ATOMIC_SEQ_CST);
    handlers[port] = 0;
}

void events_disable(void)
{
    __atomic_store_n(&this_vcpu()->evtchn_upcall_mask, 1, __ATOMIC_SEQ_CST);
}

void events_enable(void)
{
    __atomic_store_n(&this_vcpu()->evtchn_upcall_mask, 0, __ATOMIC_SEQ_CST);
    /* The store alone delivers nothing; on its way out of any hypercall the hypervisor looks. */
    if (__atomic_load_n(&this_vcpu()->evtchn_upcall_pending, __ATOMIC_SEQ_CST))
        HYPERVISOR_xen_version(XENVER_version, 0);
}

void events_wait(void)
{
    /* Enables events and sleeps in one step, so that none slips in between. */
    HYPERVISOR_sched_op(SCHEDOP_block, 0, 0);
}
