/* Event channels in the two-level form, for one vcpu. */
#include "events.h"

#include "system.h"

/* Words, and bits in each. */
#define WORD_BITS XEN_EVTCHN_WORDS

static event_handler *handler;

void set_event_handler(event_handler *function)
{
    handler = function;
}

void events_initialise(void)
{
    for (unsigned int word = 0; word < WORD_BITS; word++)
        shared_info->evtchn_mask[word] = ~0ul;
}

void events_handle(void)
{
    struct vcpu_info *vcpu = this_vcpu();
    /* Cleared before the scan: what arrives meanwhile causes another upcall. */
    __atomic_store_n(&vcpu->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST);
    xen_ulong_t words = __atomic_exchange_n(&vcpu->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
    for (; words; words &= words - 1) {
        unsigned int word = (unsigned int)__builtin_ctzl(words);
        xen_ulong_t ports = shared_info->evtchn_pending[word] & ~shared_info->evtchn_mask[word];
        for (; ports; ports &= ports - 1) {
            evtchn_port_t port = word * WORD_BITS + (unsigned int)__builtin_ctzl(ports);
            port_clear(port);
            if (handler)
                handler(port);
        }
    }
}

void events_disable(void)
{
    this_vcpu()->evtchn_upcall_mask = 1;
    barrier();
}

void events_enable(void)
{
    barrier();
    this_vcpu()->evtchn_upcall_mask = 0;
    barrier();
    /* What became due while masked is not delivered by the store: any hypercall does that. */
    if (*(volatile uint8_t *)&this_vcpu()->evtchn_upcall_pending)
        HYPERVISOR_xen_version(XENVER_version, 0);
}

bool events_enabled(void)
{
    return *(volatile uint8_t *)&this_vcpu()->evtchn_upcall_mask == 0;
}

static bool bit(const xen_ulong_t *words, evtchn_port_t port)
{
    return ((const volatile xen_ulong_t *)words)[port / WORD_BITS] >> port % WORD_BITS & 1;
}

bool port_pending(evtchn_port_t port)
{
    return bit(shared_info->evtchn_pending, port);
}

bool port_masked(evtchn_port_t port)
{
    return bit(shared_info->evtchn_mask, port);
}

void port_clear(evtchn_port_t port)
{
    __atomic_fetch_and(&shared_info->evtchn_pending[port / WORD_BITS],
                       ~(1ul << port % WORD_BITS), __ATOMIC_SEQ_CST);
}

void port_mask(evtchn_port_t port)
{
    __atomic_fetch_or(&shared_info->evtchn_mask[port / WORD_BITS], 1ul << port % WORD_BITS,
                      __ATOMIC_SEQ_CST);
}

void port_unmask(evtchn_port_t port)
{
    struct evtchn_unmask unmask = {.port = port};
    HYPERVISOR_event_channel_op(EVTCHNOP_unmask, &unmask);
}

long bind_ipi(uint32_t vcpu)
{
    struct evtchn_bind_ipi bind = {.vcpu = vcpu};
    long result = HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, &bind);
    return result < 0 ? result : (long)bind.port;
}

long bind_virq(uint32_t virq, uint32_t vcpu)
{
    struct evtchn_bind_virq bind = {.virq = virq, .vcpu = vcpu};
    long result = HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, &bind);
    return result < 0 ? result : (long)bind.port;
}

long port_send(evtchn_port_t port)
{
    struct evtchn_send send = {.port = port};
    return HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
}

long port_close(evtchn_port_t port)
{
    struct evtchn_close close = {.port = port};
    return HYPERVISOR_event_channel_op(EVTCHNOP_close, &close);
}
