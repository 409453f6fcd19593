/*
 * test: fpu-taskswitch
 * fpu_taskswitch sets and clears TS: with it an FPU instruction traps to vector 7, once, since the
 * hypervisor clears TS on the way to the handler. Registers of the FPU survive sleeping and system calls.
 */
#include "guest.h"

static unsigned int traps;

static bool resume(struct trap_frame *frame)
{
    if (frame->vector != VECTOR_NM)
        return false;
    traps++;
    return true;
}

void test_main(void)
{
    expect_result("set TS", HYPERVISOR_fpu_taskswitch(1), 0);
    expect_fault("fninit", TRY("fninit", : : : "memory"), FAULT(VECTOR_NM, 0));
    expect_fault("again: the trap has cleared TS", TRY("fninit", : : : "memory"), NO_FAULT);
    expect_result("set TS", HYPERVISOR_fpu_taskswitch(1), 0);
    expect_fault("an SSE instruction", TRY("pxor %%xmm0, %%xmm0", : : : "memory"),
                 FAULT(VECTOR_NM, 0));
    expect_result("set TS", HYPERVISOR_fpu_taskswitch(1), 0);
    expect_result("clear TS", HYPERVISOR_fpu_taskswitch(0), 0);
    expect_fault("fninit", TRY("fninit", : : : "memory"), NO_FAULT);
    set_trap_hook(resume);
    HYPERVISOR_fpu_taskswitch(1);
    expect_fault("fninit with a handler that returns", TRY("fninit", : : : "memory"), NO_FAULT);
    expect_value("traps", traps, 1);
    set_trap_hook(0);

    uint64_t value = 0x1122334455667788, back = 0;
    __asm__ volatile("movq %0, %%xmm5; fld1; fld1; faddp" : : "m"(value));
    struct sched_poll poll = {.timeout = system_time() + 20 * MILLISECONDS};
    HYPERVISOR_sched_op(SCHEDOP_poll, &poll, 0);
    HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
    __asm__ volatile("movq %%xmm5, %0" : "=m"(back));
    expect_value("xmm5 after sleep", back, value);
    uint16_t two = 0;
    __asm__ volatile("fistps %0" : "=m"(two));
    expect_value("x87 stack after sleep", two, 2);
}
