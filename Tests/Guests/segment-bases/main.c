/*
 * test: segment-bases
 * set_segment_base writes the bases of fs and of both gs. The user's base of gs is in effect in
 * user mode only; bad numbers and non-canonical bases are refused.
 */
#include "guest.h"

USER_CODE(user_gs, "movq %gs:8, %rax; movq %fs:16, %rbx; syscall; ud2");

void test_main(void)
{
    user_initialise();
    uint64_t *data = user_data();
    data[1] = 0x1111;
    data[2] = 0x2222;
    static uint64_t own[4] = {0, 0x3333, 0x4444, 0};
    expect_result("fs", HYPERVISOR_set_segment_base(SEGBASE_FS, USER_DATA), 0);
    expect_result("gs of user mode", HYPERVISOR_set_segment_base(SEGBASE_GS_USER, USER_DATA), 0);
    expect_result("gs of the kernel",
                  HYPERVISOR_set_segment_base(SEGBASE_GS_KERNEL, (unsigned long)own), 0);
    uint64_t value = 0;
    __asm__ volatile("movq %%gs:8, %0" : "=r"(value));
    expect_value("gs in the kernel", value, 0x3333);
    __asm__ volatile("movq %%fs:8, %0" : "=r"(value));
    expect_value("fs in the kernel", value, 0x1111);
    struct trap_frame frame = user_frame(user_gs);
    user_run(&frame);
    expect_fault("user mode", FAULT(frame.vector, frame.error_code), FAULT(ENTRY_SYSCALL, 0));
    expect_value("gs in user mode", frame.rax, 0x1111);
    expect_value("fs in user mode", frame.rbx, 0x2222);
    __asm__ volatile("movq %%gs:16, %0" : "=r"(value));
    expect_value("gs in the kernel again", value, 0x4444);

    expect_result("unknown base", HYPERVISOR_set_segment_base(4, 0), -XEN_EINVAL);
    expect_result("fs, non-canonical", HYPERVISOR_set_segment_base(SEGBASE_FS, NON_CANONICAL_ADDRESS),
                  -XEN_EINVAL);
    expect_result("user's gs, non-canonical",
                  HYPERVISOR_set_segment_base(SEGBASE_GS_USER, NON_CANONICAL_ADDRESS), -XEN_EINVAL);
    expect_result("kernel's gs, non-canonical",
                  HYPERVISOR_set_segment_base(SEGBASE_GS_KERNEL, NON_CANONICAL_ADDRESS),
                  -XEN_EINVAL);
    expect_result("user's selector, bad",
                  HYPERVISOR_set_segment_base(SEGBASE_GS_USER_SEL, 0xfff8), 0);
    expect_result("user's selector, null", HYPERVISOR_set_segment_base(SEGBASE_GS_USER_SEL, 0), 0);
}
