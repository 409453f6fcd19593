/*
 * test: attack-fpu
 * Leaves the floating-point unit in states that make the next one trap: pending unmasked
 * exceptions, all exceptions unmasked, TS set, reserved bits of MXCSR. The hypervisor's own saving
 * and loading for another domain runs into them.
 */
#include "guest.h"

void test_main(void)
{
    static uint8_t image[512] __attribute__((aligned(16)));
    static uint32_t control = 0, everything = 0xffff;
    static uint16_t word = 0;
    unsigned int done = 0;
    for (unsigned int turn = 0; turn < 200; turn++) {
        HYPERVISOR_fpu_taskswitch(0);
        __asm__ volatile("fninit; fldcw %0; fldz; fld1; fdiv %%st(1), %%st" : : "m"(word));
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
        TRY("fwait", :);
        __asm__ volatile("fninit");
        TRY("ldmxcsr %0", : : "m"(control));
        TRY("ldmxcsr %0", : : "m"(everything));
        __asm__ volatile("fxsave %0" : "=m"(image));
        *(uint32_t *)(image + 24) = 0xffffffff;
        TRY("fxrstor %0", : : "m"(image));
        HYPERVISOR_fpu_taskswitch(1);
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
        done++;
    }
    expect_value("turns", done, 200);
    HYPERVISOR_fpu_taskswitch(1);
    expect_fault("TS holds", TRY("fninit", :), FAULT(VECTOR_NM, 0));
    HYPERVISOR_fpu_taskswitch(0xffffffff);
    HYPERVISOR_fpu_taskswitch(0);
    expect_fault("and is gone", TRY("fninit", :), NO_FAULT);
}
