/*
 * test: old-calls
 * What small kernels out of Xen 3's days still call: the event channel call whose operation's number
 * stands in its structure, and the scheduler call that takes a number where the later one takes a
 * pointer; shutdown-old-call ends by it.
 */
#include "guest.h"

/* The operation's own structure begins behind the number. */
struct old_event_operation {
    uint32_t command;
    union {
        struct evtchn_alloc_unbound alloc_unbound;
        struct evtchn_bind_ipi bind_ipi;
        struct evtchn_status status;
        struct evtchn_send send;
        struct evtchn_close close;
        uint32_t room[6];
    } of;
};

static volatile unsigned int count;

static void handle(evtchn_port_t port)
{
    count++;
}

static long event_call(struct old_event_operation *operation)
{
    return hypercall(__HYPERVISOR_event_channel_op_compat, (unsigned long)operation, 0, 0, 0, 0);
}

static long schedule_call(unsigned long command, unsigned long argument)
{
    return hypercall(__HYPERVISOR_sched_op_compat, command, argument, 0, 0, 0);
}

static void try_events(void)
{
    struct old_event_operation operation = {.command = EVTCHNOP_alloc_unbound};
    evtchn_port_t port;

    operation.of.alloc_unbound.dom = DOMID_SELF;
    operation.of.alloc_unbound.remote_dom = DOMID_SELF;
    expect_result("alloc_unbound", event_call(&operation), 0);
    expect_true("gives a port", operation.of.alloc_unbound.port > 0);
    port = operation.of.alloc_unbound.port;
    operation = (struct old_event_operation){.command = EVTCHNOP_close, .of.close.port = port};
    expect_result("close", event_call(&operation), 0);

    set_event_handler(handle);
    operation = (struct old_event_operation){.command = EVTCHNOP_bind_ipi};
    expect_result("bind_ipi", event_call(&operation), 0);
    port = operation.of.bind_ipi.port;
    operation = (struct old_event_operation){.command = EVTCHNOP_status};
    operation.of.status.dom = DOMID_SELF;
    operation.of.status.port = port;
    expect_result("status", event_call(&operation), 0);
    expect_value("of an IPI port", operation.of.status.status, EVTCHNSTAT_ipi);
    port_unmask(port);
    events_enable();
    operation = (struct old_event_operation){.command = EVTCHNOP_send, .of.send.port = port};
    expect_result("send", event_call(&operation), 0);
    expect_value("upcalls", count, 1);
    events_disable();
    operation.of.send.port = 100000;
    expect_result("send on no port", event_call(&operation), -XEN_EINVAL);
    operation = (struct old_event_operation){.command = EVTCHNOP_reset};
    operation.of.room[0] = DOMID_SELF;
    expect_result("reset, which came later", event_call(&operation), -XEN_ENOSYS);
    operation.command = 1000;
    expect_result("no operation", event_call(&operation), -XEN_ENOSYS);
    expect_result("no structure", event_call((struct old_event_operation *)16), -XEN_EFAULT);
    expect_result("later form, same port", port_close(port), 0);
}

void test_main(void)
{
    try_events();
    expect_result("yield", schedule_call(SCHEDOP_yield, 0), 0);
    expect_result("poll, which came later", schedule_call(SCHEDOP_poll, 0), -XEN_ENOSYS);
    expect_result("no scheduler operation", schedule_call(1000, 0), -XEN_ENOSYS);
    set_event_handler(0);
    evtchn_port_t port = (evtchn_port_t)bind_virq(VIRQ_TIMER, 0);
    port_unmask(port);
    HYPERVISOR_set_timer_op(system_time() + 10 * MILLISECONDS);
    expect_result("block until the timer", schedule_call(SCHEDOP_block, 0), 0);
    events_disable();
}
