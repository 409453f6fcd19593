/*
 * test: nmi
 * VCPUOP_send_nmi enters the handler of vector 2, whatever the upcall mask, in kernel and user mode,
 * from the vcpu itself and from another one. While the handler runs a further NMI waits; the iret
 * hypercall lets it in, also that of a trap inside the handler. Without a handler it is lost.
 */
#include "guest.h"

static volatile unsigned int entries, depth, deepest, mask_inside;
static volatile uint64_t saved_cs, saved_mask;
static void (*volatile inside)(void);

static long send(void) { return HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 0, 0); }

static bool handle(struct trap_frame *frame)
{
    if (frame->vector != VECTOR_NMI)
        return false;
    entries++;
    mask_inside = this_vcpu()->evtchn_upcall_mask;
    saved_cs = frame->cs & 0xffff;
    saved_mask = FRAME_MASK(*frame);
    if (++depth > deepest)
        deepest = depth;
    void (*what)(void) = inside;
    inside = 0;
    if (what)
        what();
    depth--;
    return true;
}

static void begin(void (*what)(void))
{
    entries = depth = deepest = mask_inside = 0;
    inside = what;
}

static void tell(const char *what)
{
    print("%s: entries %u, deepest %u, mask inside %u, in the frame %lu, cs %lx, mask after %u\n",
          what, entries, deepest, mask_inside, saved_mask, saved_cs,
          this_vcpu()->evtchn_upcall_mask);
}

static volatile unsigned int during;

static void send_again(void)
{
    send();
    send();
    during = entries;
}

static void trap_and_send(void)
{
    send();
    during = entries;
    TRY("ud2", : :);
    during = during * 16 + entries;
}

static long enter(unsigned long address)
{
    struct callback_register callback = {.type = CALLBACKTYPE_nmi, .address = ENTRY_POINT(address)};
    return HYPERVISOR_callback_op(CALLBACKOP_register, &callback);
}

static long leave(void)
{
    struct callback_unregister callback = {.type = CALLBACKTYPE_nmi};
    return HYPERVISOR_callback_op(CALLBACKOP_unregister, &callback);
}

static long row(uint8_t flags)
{
    struct trap_info rows[2] = {
        {.vector = VECTOR_NMI, .flags = flags, .cs = FLAT_KERNEL_CS, .address = trap_entries[2]}};
    return HYPERVISOR_set_trap_table(rows);
}

static volatile unsigned int wanted, sent;
/* Vcpu 1 waits until vcpu 0 sleeps; until its user mode has begun. */
static volatile bool when_asleep, when_in_user;
/* In the user's page: it may go on; it has begun. */
static volatile uint64_t *user_words;

static bool is_asleep(void)
{
    struct vcpu_runstate_info info = {.state = -1};
    HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &info);
    return info.state == RUNSTATE_blocked;
}

static void send_from_second(void)
{
    while (!second_shall_stop()) {
        if (sent == wanted || (when_asleep && !is_asleep()) || (when_in_user && !user_words[1]))
            HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
        else if (HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 0, 0) == 0)
            sent++;
    }
}

USER_CODE(user_wait, "movl $1, 8(%" DI "); 1: pause; cmpl $0, (%" DI "); je 1b; " SYSTEM_CALL "; ud2");

static void let_user_go(void) { user_words[0] = 1; }

void test_main(void)
{
    void *bad = (void *)UNMAPPED_ADDRESS;
    set_trap_hook(handle);
    expect_result("send to vcpu 1000", HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 1000, 0), -XEN_ENOENT);
    expect_result("send with an argument", HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 0, bad), -XEN_EINVAL);

    expect_result("trap row without flags", row(0), 0);
    begin(0);
    expect_result("send with events masked", send(), 0);
    tell("masked");
    events_enable();
    begin(0);
    send();
    tell("not masked");
    expect_result("trap row that masks events", row(4), 0);
    begin(0);
    send();
    tell("row that masks");
    expect_result("callback", enter(trap_entries[2]), 0);
    begin(0);
    send();
    tell("callback");
    struct callback_register without = {.type = CALLBACKTYPE_nmi, .address = ENTRY_POINT(trap_entries[2])};
    without.flags = CALLBACKF_mask_events;
    expect_result("callback with the flag", HYPERVISOR_callback_op(CALLBACKOP_register, &without), 0);
    begin(0);
    send();
    tell("callback with the flag");

    begin(send_again);
    send();
    tell("two more from the handler");
    expect_value("entries while it ran", during, 1);
    begin(trap_and_send);
    send();
    tell("a trap in the handler");
    expect_value("entries before and after its iret", during, 0x12);

    static struct multicall_entry calls[2];
    calls[0] = (struct multicall_entry){.op = __HYPERVISOR_vcpu_op, .args = {VCPUOP_send_nmi, 0, 0}};
    calls[1] = calls[0];
    begin(0);
    expect_result("two in a batch", HYPERVISOR_multicall(calls, 2), 0);
    tell("batch");

    expect_result("take the handler away", leave(), 0);
    begin(0);
    expect_result("send", send(), 0);
    tell("without a handler");
    expect_result("callback", enter(trap_entries[2]), 0);
    HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
    tell("with one again");
    begin(0);
    expect_result("send", send(), 0);
    tell("and one more");

    struct xennmi_callback callback = {.handler_address = trap_entries[2]};
    leave();
    expect_result("nmi_op register", HYPERVISOR_nmi_op(XENNMI_register_callback, &callback), 0);
    begin(0);
    send();
    tell("nmi_op");
#ifdef __x86_64__
    callback.handler_address = NON_CANONICAL_ADDRESS;
    expect_result("nmi_op, not canonical", HYPERVISOR_nmi_op(XENNMI_register_callback, &callback),
                  -XEN_EINVAL);
#endif
    expect_result("nmi_op, bad pointer", HYPERVISOR_nmi_op(XENNMI_register_callback, bad),
                  -XEN_EFAULT);
    expect_result("nmi_op unregister", HYPERVISOR_nmi_op(XENNMI_unregister_callback, 0), 0);
    expect_result("nmi_op, unknown", HYPERVISOR_nmi_op(2, bad), -XEN_ENOSYS);
    expect_result("nmi_op, negative", HYPERVISOR_nmi_op(0xffffffff, bad), -XEN_ENOSYS);
    enter(trap_entries[2]);

    expect_result("send to vcpu 1, which is down", HYPERVISOR_vcpu_op(VCPUOP_send_nmi, 1, 0), 0);
    if (!second_start(send_from_second))
        return;
    begin(0);
    wanted++;
    while (!entries)
        __asm__ volatile("pause");
    tell("from vcpu 1");
    when_asleep = true;
    begin(0);
    wanted++;
    HYPERVISOR_sched_op(SCHEDOP_block, 0, 0);
    tell("from vcpu 1 while blocked");
    begin(0);
    struct sched_poll poll = {.timeout = 0};
    wanted++;
    expect_result("poll without ports", HYPERVISOR_sched_op(SCHEDOP_poll, &poll, 0), 0);
    tell("from vcpu 1 while it polls");

    when_asleep = false;
    user_initialise();
    user_words = user_data();
    when_in_user = true;
    struct trap_frame user = user_frame(user_wait);
    user.rdi = USER_DATA;
    begin(let_user_go);
    wanted++;
    user_run(&user);
    expect_fault("user mode ends by", FAULT(user.vector, user.error_code), FAULT(VECTOR_NMI, 0));
    expect_true("from its code", user.rip - user_address(user_wait) < 24);
    print("cs %lx\n", (uint64_t)user.cs);
    user_words[0] = 1;
    user_run(&user);
    expect_fault("and goes on to", FAULT(user.vector, user.error_code), FAULT(ENTRY_SYSCALL, 0));
    begin(0);
    send();
    tell("at the end");
    second_stop();
}
