/*
 * test: control-domains
 * Domain 0 builds domains out of its own image by Rootstock's control interface (rootstock.h), pauses
 * them, lets them go on and ends them, again and again. A child sends an event for each of its turns:
 * while it is paused none may come. Every error that the calls can give is tried. boot.args starts a
 * guest beside, since this interface is Rootstock's alone.
 */
#include "guest.h"
#include "rootstock.h"

/* A child's third port, behind those for xenstore and console. */
#define CHILD_PORT 3
#define NO_MODULE ROOTSTOCK_NO_MODULE

static volatile unsigned int turns;

static void count(evtchn_port_t port) { turns++; }

static long control(unsigned int operation, void *argument)
{
    return hypercall(ROOTSTOCK_CONTROL, operation, (unsigned long)argument, 0, 0, 0);
}

static long with_number(unsigned int operation, uint16_t number)
{
    struct rootstock_domain domain = {.domain = number};
    return control(operation, &domain);
}

static const char text[] = "child 12345";

static struct rootstock_build request(void)
{
    return (struct rootstock_build){.ramdisk = NO_MODULE,
                                    .vcpus = 1,
                                    .memory = 8,
                                    .command_line = (uint64_t)text,
                                    .length = sizeof(text) - 1};
}

static long build(struct rootstock_build *what) { return control(ROOTSTOCK_BUILD_DOMAIN, what); }

static void sleep_for(uint64_t time)
{
    struct sched_poll poll = {.timeout = system_time() + time};
    HYPERVISOR_sched_op(SCHEDOP_poll, &poll, 0);
}

/* Events within some time, or without end. */
static bool comes(unsigned int number, uint64_t time)
{
    uint64_t end = system_time() + time;
    while (turns < number && system_time() < end)
        sleep_for(MILLISECONDS);
    return turns >= number;
}

/* 1: it runs; 0: it has ended; -1: there is none. */
static int state_of(uint16_t number)
{
    struct rootstock_domain domain = {.domain = number};
    if (control(ROOTSTOCK_NEXT_DOMAIN, &domain) || domain.domain != number)
        return -1;
    return domain.state == ROOTSTOCK_DOMAIN_RUNS;
}

static void errors(void)
{
    struct rootstock_build bad = request();
    bad.zero = 1;
    expect_result("a field that is to be zero", build(&bad), -XEN_EINVAL);
    bad = request();
    bad.memory = 0;
    expect_result("no memory", build(&bad), -XEN_EINVAL);
    bad.memory = 0xffffffff;
    expect_result("more memory than there is", build(&bad), -XEN_ENOMEM);
    bad.memory = 1;
    expect_result("less memory than the image", build(&bad), -XEN_ENOMEM);
    bad = request();
    bad.vcpus = 0;
    expect_result("no vcpu", build(&bad), -XEN_EINVAL);
    bad.vcpus = 129;
    expect_result("129 vcpus", build(&bad), -XEN_EINVAL);
    bad = request();
    bad.kernel = 99;
    expect_result("no such module", build(&bad), -XEN_ENOENT);
    bad = request();
    bad.ramdisk = 99;
    expect_result("no such ramdisk", build(&bad), -XEN_ENOENT);
    bad = request();
    bad.arguments = 99;
    expect_result("no such module with a command line", build(&bad), -XEN_ENOENT);
    bad = request();
    bad.length = ROOTSTOCK_COMMAND_LINE + 1;
    expect_result("a long command line", build(&bad), -XEN_EINVAL);
    bad = request();
    bad.command_line = UNMAPPED_ADDRESS;
    expect_result("a command line that is not mapped", build(&bad), -XEN_EFAULT);
    bad.command_line = HYPERVISOR_ADDRESS;
    expect_result("a command line of the hypervisor", build(&bad), -XEN_EFAULT);
    bad = request();
    /* Numbers share places in the table of domains: 128 has that of 0. */
    bad.domain = 128;
    expect_result("a number whose place is in use", build(&bad), -XEN_EEXIST);
    bad.domain = DOMID_FIRST_RESERVED;
    expect_result("a number that is reserved", build(&bad), -XEN_EINVAL);
    expect_result("an argument that is not mapped", build((void *)UNMAPPED_ADDRESS), -XEN_EFAULT);
    expect_result("an argument of the hypervisor", build((void *)HYPERVISOR_ADDRESS), -XEN_EFAULT);
    expect_result("pause oneself", with_number(ROOTSTOCK_PAUSE_DOMAIN, 0), -XEN_EINVAL);
    expect_result("pause nobody", with_number(ROOTSTOCK_PAUSE_DOMAIN, 77), -XEN_ESRCH);
    expect_result("start nobody", with_number(ROOTSTOCK_START_DOMAIN, 77), -XEN_ESRCH);
    expect_result("no such operation", with_number(0x1ff, 0), -XEN_ENOSYS);
}

static void child(void)
{
    struct evtchn_alloc_unbound unbound = {.dom = DOMID_SELF, .remote_dom = 0};
    struct rootstock_build bad = request();
    if (HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &unbound) ||
        unbound.port != CHILD_PORT || strcmp((const char *)start_info->cmd_line, text) ||
        build(&bad) != -XEN_EPERM || with_number(ROOTSTOCK_PAUSE_DOMAIN, 0) != -XEN_EPERM)
        shut_down(SHUTDOWN_crash);
    for (;;) {
        port_send(CHILD_PORT);
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
    }
}

/* Binds to the child's port, which is there once it runs. */
static evtchn_port_t bind_to(uint16_t number)
{
    struct evtchn_bind_interdomain bind = {.remote_dom = number, .remote_port = CHILD_PORT};
    uint64_t end = system_time() + 10 * SECONDS;
    while (HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &bind)) {
        if (system_time() > end)
            panic("the child opens no port");
        sleep_for(MILLISECONDS);
    }
    port_unmask(bind.local_port);
    return bind.local_port;
}

static bool one_life(void)
{
    struct rootstock_build build_it = request();
    if (build(&build_it) || state_of(build_it.domain) != 1)
        return false;
    uint16_t number = build_it.domain;
    if (with_number(ROOTSTOCK_START_DOMAIN, number))
        return false;
    evtchn_port_t port = bind_to(number);
    turns = 0;
    bool good = comes(20, 10 * SECONDS);
    for (unsigned int pauses = 0; pauses < 3; pauses++) {
        good &= with_number(ROOTSTOCK_PAUSE_DOMAIN, number) == 0;
        turns = 0;
        /* What it had sent before may still be on its way. */
        good &= !comes(2, 30 * MILLISECONDS);
        good &= with_number(ROOTSTOCK_START_DOMAIN, number) == 0;
        good &= comes(20, 10 * SECONDS);
    }
    struct sched_remote_shutdown end = {.domain_id = number, .reason = SHUTDOWN_poweroff};
    good &= HYPERVISOR_sched_op(SCHEDOP_remote_shutdown, &end, 0) == 0;
    good &= with_number(ROOTSTOCK_PAUSE_DOMAIN, number) == -XEN_ESRCH;
    port_close(port);
    uint64_t limit = system_time() + 10 * SECONDS;
    while (state_of(number) >= 0 && system_time() < limit)
        sleep_for(MILLISECONDS);
    return good && state_of(number) < 0;
}

void test_main(void)
{
    if (!(start_info->flags & SIF_PRIVILEGED))
        child();
    if (with_number(ROOTSTOCK_NEXT_DOMAIN, 0) == -XEN_ENOSYS) {
        skip("this hypervisor has no such interface");
        return;
    }
    set_event_handler(count);
    events_enable();
    errors();
    for (unsigned int life = 1; life <= 5; life++) {
        print("life %u ", life);
        expect_true("of a child", one_life());
    }
    struct rootstock_build never = request();
    never.domain = 500;
    expect_result("a child that never begins", build(&never), 0);
    struct sched_remote_shutdown end = {.domain_id = 500, .reason = SHUTDOWN_poweroff};
    expect_result("ends", HYPERVISOR_sched_op(SCHEDOP_remote_shutdown, &end, 0), 0);
}
