/*
 * test: attack-user-hypercalls
 * User mode makes hypercalls: syscall with every number, int 0x82, and a jump to the kernel's
 * hypercall page. Only the kernel may: user mode's syscall is the kernel's own business.
 */
#include "guest.h"

USER_CODE(user_syscall, SYSTEM_CALL "; ud2");
USER_CODE(user_int82, "int $0x82; ud2");
USER_CODE(user_sysenter, "sysenter; ud2");
USER_CODE(user_jump, "jmp *%" DI);

void test_main(void)
{
    extern char hypercall_page[];
    unsigned int other = 0;
    for (uint64_t number = 0; number < 80; number++) {
        struct trap_frame frame = user_frame(user_syscall);
        frame.rax = number;
        frame.rdi = SCHEDOP_shutdown;
        frame.rsi = USER_DATA;
        user_run(&frame);
        other += frame.vector != ENTRY_SYSCALL || frame.rax != number;
    }
    expect_value("system calls that did not come to the kernel", other, 0);
    struct trap_frame frame = user_frame(user_int82);
    frame.rax = __HYPERVISOR_sched_op;
    user_run(&frame);
    /* By which fault is not to be told: QEMU 7.2 gives the hypervisor a wrong vector. */
    expect_true("int 0x82 is no hypercall",
                frame.rax == __HYPERVISOR_sched_op && frame.vector < 32);
    frame = user_frame(user_jump);
    frame.rdi = (uint64_t)hypercall_page;
    user_run(&frame);
    expect_vector("the hypercall page", FAULT(frame.vector, frame.error_code), VECTOR_PF);
    frame = user_frame(user_jump);
    frame.rdi = (uint64_t)test_main;
    user_run(&frame);
    expect_vector("the kernel's code", FAULT(frame.vector, frame.error_code), VECTOR_PF);
    /* With or without an entry for it, sysenter may not do more than trap. */
    frame = user_frame(user_sysenter);
    user_run(&frame);
    expect_true("sysenter ends in the kernel", frame.vector == VECTOR_GP ||
                                                   frame.vector == VECTOR_UD ||
                                                   frame.vector == ENTRY_SYSENTER);
}
