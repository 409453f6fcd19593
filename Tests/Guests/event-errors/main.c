/*
 * test: event-errors
 * Every event channel operation refuses ports, vcpus, domains and numbers that do not exist, each
 * with its own error; bad pointers answer -EFAULT.
 */
#include "guest.h"

static long op(int command, void *argument)
{
    return HYPERVISOR_event_channel_op(command, argument);
}

void test_main(void)
{
    void *bad = (void *)UNMAPPED_ADDRESS;
    for (int command = 0; command <= 13; command++) {
        print("operation %d ", command);
        expect_result("with a bad pointer", op(command, bad), -XEN_EFAULT);
    }
    expect_result("unknown operation", op(15, bad), -XEN_ENOSYS);
    expect_result("negative operation", op(-1, bad), -XEN_ENOSYS);

    expect_result("send on port 0", port_send(0), -XEN_EINVAL);
    expect_result("send on a free port", port_send(100), -XEN_EINVAL);
    expect_result("send beyond all ports", port_send(0xffffffff), -XEN_EINVAL);
    expect_result("close port 0", port_close(0), -XEN_EINVAL);
    expect_result("close a free port", port_close(100), -XEN_EINVAL);
    expect_result("close beyond all ports", port_close(0xffffffff), -XEN_EINVAL);
    expect_result("bind an IPI to a vcpu that does not exist", bind_ipi(1000), -XEN_ENOENT);
    expect_result("bind a virtual interrupt that does not exist", bind_virq(NR_VIRQS, 0),
                  -XEN_EINVAL);
    expect_result("bind one, number with all bits", bind_virq(0xffffffff, 0), -XEN_EINVAL);
    expect_result("bind the timer of a vcpu that does not exist", bind_virq(VIRQ_TIMER, 1000),
                  -XEN_ENOENT);
    long port = bind_virq(VIRQ_TIMER, 0);
    expect_true("bind the timer", port > 0);
    expect_result("bind it again", bind_virq(VIRQ_TIMER, 0), -XEN_EEXIST);
    expect_result("send on it", port_send((evtchn_port_t)port), -XEN_EINVAL);

    struct evtchn_status status = {.dom = DOMID_SELF, .port = 0xffffffff};
    expect_result("status beyond all ports", op(EVTCHNOP_status, &status), -XEN_EINVAL);
    status = (struct evtchn_status){.dom = 77, .port = 1};
    expect_result("status in a domain that does not exist", op(EVTCHNOP_status, &status),
                  -XEN_ESRCH);
    struct evtchn_unmask unmask = {.port = 0xffffffff};
    expect_result("unmask beyond all ports", op(EVTCHNOP_unmask, &unmask), -XEN_EINVAL);
    struct evtchn_bind_vcpu bind = {.port = (evtchn_port_t)port, .vcpu = 1000};
    expect_result("move to a vcpu that does not exist", op(EVTCHNOP_bind_vcpu, &bind), -XEN_ENOENT);
    bind.vcpu = 0;
    expect_result("move a per-vcpu interrupt", op(EVTCHNOP_bind_vcpu, &bind), -XEN_EINVAL);
    bind.port = 0xffffffff;
    expect_result("move a port beyond all", op(EVTCHNOP_bind_vcpu, &bind), -XEN_EINVAL);
    struct evtchn_alloc_unbound alloc = {.dom = 77, .remote_dom = DOMID_SELF};
    expect_result("allocate in a domain that does not exist", op(EVTCHNOP_alloc_unbound, &alloc),
                  -XEN_ESRCH);
    struct evtchn_bind_interdomain connect = {.remote_dom = 77, .remote_port = 1};
    expect_result("connect to a domain that does not exist",
                  op(EVTCHNOP_bind_interdomain, &connect), -XEN_ESRCH);
    connect = (struct evtchn_bind_interdomain){.remote_dom = DOMID_SELF, .remote_port = 0xffffffff};
    expect_result("connect to a port beyond all", op(EVTCHNOP_bind_interdomain, &connect),
                  -XEN_EINVAL);
    connect.remote_port = (evtchn_port_t)port;
    expect_result("connect to a port that is no offer", op(EVTCHNOP_bind_interdomain, &connect),
                  -XEN_EINVAL);
    struct evtchn_set_priority priority = {.port = (evtchn_port_t)port, .priority = 3};
    expect_result("priority in the two-level form", op(EVTCHNOP_set_priority, &priority),
                  -XEN_ENOSYS);
    struct evtchn_expand_array expand = {.array_gfn = 0};
    expect_result("words in the two-level form", op(EVTCHNOP_expand_array, &expand), -XEN_EOPNOTSUPP);
    struct evtchn_reset reset = {.dom = 77};
    expect_result("reset a domain that does not exist", op(EVTCHNOP_reset, &reset), -XEN_ESRCH);
}
