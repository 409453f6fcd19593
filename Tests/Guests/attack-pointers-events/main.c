/*
 * test: attack-pointers-events
 * Bad pointers in every event_channel_op, see attack.h for the places; results go to read-only
 * pages and page tables.
 */
#include "guest.h"

static int command;
static long operation(void *p) { return HYPERVISOR_event_channel_op(command, p); }

void test_main(void)
{
    struct evtchn_status status = {.dom = DOMID_SELF, .port = 0};
    if (HYPERVISOR_event_channel_op(EVTCHNOP_status, &status) == -XEN_ENOSYS) {
        skip("no event channels");
        return;
    }
    static const struct {
        const char *name;
        int command;
        unsigned int size;
    } rows[] = {
        {"bind_interdomain", EVTCHNOP_bind_interdomain, 12},
        {"bind_virq", EVTCHNOP_bind_virq, 12},
        {"close", EVTCHNOP_close, 4},
        {"send", EVTCHNOP_send, 4},
        {"status", EVTCHNOP_status, 24},
        {"alloc_unbound", EVTCHNOP_alloc_unbound, 8},
        {"bind_ipi", EVTCHNOP_bind_ipi, 8},
        {"bind_vcpu", EVTCHNOP_bind_vcpu, 8},
        {"unmask", EVTCHNOP_unmask, 4},
        {"reset", EVTCHNOP_reset, 2},
        {"init_control", EVTCHNOP_init_control, 24},
        {"expand_array", EVTCHNOP_expand_array, 8},
        {"set_priority", EVTCHNOP_set_priority, 8},
    };
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        command = rows[i].command;
        expect_pointers(rows[i].name, operation, rows[i].size, -XEN_EFAULT);
    }
    /* Results that cannot be written: the ports may be bound, and must be there to close. */
    pte_t *top = top_table(), before = top[12];
    for (unsigned int i = 0; i < 3000; i++) {
        HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, &top[12]);
        HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &top[12]);
    }
    expect_true("the page table is as before", top[12] == before);
    for (evtchn_port_t port = 1; port < 4096; port++)
        port_close(port);
    expect_true("ports are left", bind_ipi(0) > 0);
}
