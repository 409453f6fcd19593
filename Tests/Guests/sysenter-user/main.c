/*
 * test: sysenter-user
 * On Intel's processors sysenter from user mode enters the kernel's callback with a frame that has
 * no place and no stack to return to, only user mode's selector; without a callback it is a #GP.
 */
#include "guest.h"

USER_CODE(user_sysenter, "movl $5, %ebx; sysenter; ud2");

static void run(uint64_t flags, fault_t expected)
{
    struct trap_frame frame = user_frame(user_sysenter);
    frame.rflags |= flags;
    user_run(&frame);
    expect_fault("sysenter", FAULT(frame.vector, frame.error_code), expected);
    expect_value("rip", frame.rip, 0);
    expect_value("cs", frame.cs & 0xffff, 3);
    expect_value("rsp", frame.rsp, 0);
    expect_value("ss", frame.ss, FLAT_USER_SS);
    expect_value("flags", frame.rflags & 0x6500, flags);
    expect_value("rbx", frame.rbx, 5);
}

void test_main(void)
{
    run(0, FAULT(VECTOR_GP, 0));
    struct callback_register request = {.type = CALLBACKTYPE_sysenter};
    request.address = ENTRY_POINT(sysenter_entry);
    expect_result("register the callback", HYPERVISOR_callback_op(CALLBACKOP_register, &request), 0);
    run(0, FAULT(ENTRY_SYSENTER, 0));
    run(0x4000, FAULT(ENTRY_SYSENTER, 0)); /* Nested task. */
    run(0x400, FAULT(ENTRY_SYSENTER, 0));  /* Direction. */
    run(0, FAULT(ENTRY_SYSENTER, 0));
}
