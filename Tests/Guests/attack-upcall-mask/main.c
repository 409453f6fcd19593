/*
 * test: attack-upcall-mask
 * Sets every pending and selector bit by itself and unmasks: upcalls come for ports that nobody has
 * bound. The hypervisor looks at one byte; it must not look for reasons, nor deliver for ever when
 * the handler takes none away.
 */
#include "guest.h"

static unsigned int upcalls;

static void handler(evtchn_port_t port) { upcalls++; }

void test_main(void)
{
    set_event_handler(handler);
    const unsigned int words = sizeof(shared_info->evtchn_mask) / sizeof(long);
    const unsigned int ports = words * 8 * sizeof(long);
    for (unsigned int i = 0; i < words; i++) {
        shared_info->evtchn_mask[i] = 0;
        shared_info->evtchn_pending[i] = ~0ul;
    }
    this_vcpu()->evtchn_pending_sel = ~0ul;
    this_vcpu()->evtchn_upcall_pending = 0xff;
    events_enable();
    expect_value("handlers called", upcalls, ports);
    for (unsigned int i = 0; i < 10000; i++) {
        this_vcpu()->evtchn_upcall_pending = 1;
        HYPERVISOR_xen_version(XENVER_version, 0);
    }
    expect_value("none more", upcalls, ports);
    expect_true("upcalls without reason", entries_seen(ENTRY_EVENT) > 9000);
    events_disable();
}
