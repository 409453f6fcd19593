/*
 * test: emulated-misc
 * Instructions of ring 0 without an operand: wbinvd and invd, invlpg, hlt, cli and sti by the rules
 * of IOPL, rdpmc, xsetbv, lgdt and the like. Those that a kernel needs are carried out, others are
 * faults, and none has an effect on the hypervisor.
 */
#include "guest.h"

static volatile unsigned int count;

static void handle(evtchn_port_t port)
{
    count++;
}

void test_main(void)
{
    static uint8_t table[16];
    expect_fault("wbinvd", TRY("wbinvd", : : : "memory"), NO_FAULT);
    expect_fault("invlpg", TRY("invlpg (%0)", : : "r"(table) : "memory"), FAULT(VECTOR_GP, 0));
    expect_fault("lgdt", TRY("lgdt (%0)", : : "r"(table) : "memory"), FAULT(VECTOR_GP, 0));
    expect_fault("lidt", TRY("lidt (%0)", : : "r"(table) : "memory"), FAULT(VECTOR_GP, 0));
    expect_fault("lldt", TRY("lldt %w0", : : "r"(0) : "memory"), FAULT(VECTOR_GP, 0));
    expect_fault("ltr", TRY("ltr %w0", : : "r"(0) : "memory"), FAULT(VECTOR_GP, 0));
    expect_fault("lmsw", TRY("lmsw %w0", : : "r"(1) : "memory"), FAULT(VECTOR_GP, 0));
    expect_fault("invd", TRY("invd", : : : "memory"), FAULT(VECTOR_GP, 0));
    /* There is none outside 64-bit code. */
    expect_fault("swapgs", TRY("swapgs", : : : "memory"),
                 PAGING_LEVELS == 4 ? FAULT(VECTOR_GP, 0) : FAULT(VECTOR_UD, 0));
#ifdef __x86_64__
    expect_fault("sysretq", TRY("sysretq", : : : "memory"), FAULT(VECTOR_GP, 0));
#endif
    expect_fault("rdpmc", TRY("rdpmc", : : "c"(0) : AX, DX), FAULT(VECTOR_GP, 0));
    expect_fault("cli", TRY("cli", : : : "memory"), FAULT(VECTOR_GP, 0));
    expect_fault("sti", TRY("sti", : : : "memory"), FAULT(VECTOR_GP, 0));
    expect_fault("vmcall", TRY("vmcall", : : "a"(17) : "memory"), FAULT(VECTOR_UD, 0));
    expect_fault("vmmcall", TRY("vmmcall", : : "a"(17) : "memory"), FAULT(VECTOR_UD, 0));

    set_event_handler(handle);
    evtchn_port_t timer = (evtchn_port_t)bind_virq(VIRQ_TIMER, 0);
    HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, 0);
    port_clear(timer);
    port_unmask(timer);
    this_vcpu()->evtchn_upcall_pending = 0;
    uint64_t start = system_time();
    HYPERVISOR_set_timer_op(start + 10 * MILLISECONDS);
    expect_fault("hlt", TRY("hlt", : : : "memory"), FAULT(VECTOR_GP, 0));
    events_disable();
}
