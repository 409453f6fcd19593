/*
 * test: syscall-user
 * syscall from user mode enters the kernel at the syscall callback: rcx and r11 hold what the
 * instruction puts there, the frame holds the user's place, and the kernel returns by the iret
 * hypercall with or without VGCF_in_syscall. Hypercalls are not open to user mode.
 */
#include "guest.h"

USER_CODE(user_syscall, "movl $3, %eax; movl $5, %edi; syscall; movl $9, %edi; syscall; ud2");

void test_main(void)
{
    struct trap_frame frame = user_frame(user_syscall);
    user_run(&frame);
    expect_fault("first", FAULT(frame.vector, frame.error_code), FAULT(ENTRY_SYSCALL, 0));
    expect_value("rax", frame.rax, 3);
    expect_value("rdi", frame.rdi, 5);
    expect_value("rip is behind the instruction", frame.rip - user_address(user_syscall), 12);
    expect_value("rcx is the rip", frame.rcx, frame.rip);
    /* The frame has the guest's interrupt flag, the register the processor's. */
    expect_value("r11 is the flags", frame.r11, frame.rflags | 0x200);
    expect_value("selector", frame.cs & 0xffff, FLAT_USER_CS);
    expect_value("stack selector", frame.ss & 0xffff, FLAT_USER_SS);
    expect_value("stack pointer", frame.rsp, USER_STACK + PAGE_SIZE);

    frame.rax = 100;
    user_run(&frame);
    expect_fault("second", FAULT(frame.vector, frame.error_code), FAULT(ENTRY_SYSCALL, 0));
    expect_value("rax was returned", frame.rax, 100);
    expect_value("rdi", frame.rdi, 9);
    expect_value("rip", frame.rip - user_address(user_syscall), 19);

    struct callback_register callback = {
        .type = CALLBACKTYPE_syscall,
        .flags = CALLBACKF_mask_events,
        .address = (unsigned long)syscall_entry,
    };
    expect_result("register with masked events",
                  HYPERVISOR_callback_op(CALLBACKOP_register, &callback), 0);
    events_enable();
    frame = user_frame(user_syscall);
    user_run(&frame);
    expect_fault("third", FAULT(frame.vector, frame.error_code), FAULT(ENTRY_SYSCALL, 0));
    expect_value("saved mask", FRAME_MASK(frame), 0);
    events_disable();
}
