/*
 * test: iret-faults
 * An iret to a place that the processor refuses is a fault of the mode it leads to: selectors that
 * no table has and addresses that are not canonical come back as #GP with the frame that was asked
 * for. The hypervisor itself must survive the fault in its own exit.
 */
#include "guest.h"

USER_CODE(user_nothing, SYSTEM_CALL "; ud2");

static struct trap_frame run(struct trap_frame frame)
{
    user_run(&frame);
    return frame;
}

void test_main(void)
{
    struct trap_frame frame = user_frame(user_nothing);
    frame.ss = 0x1003;
    frame = run(frame);
    expect_fault("stack selector beyond the table", FAULT(frame.vector, frame.error_code),
                 FAULT(VECTOR_GP, 0x1000));
    expect_value("rip", frame.rip - user_address(user_nothing), 0);
    frame = user_frame(user_nothing);
    frame.cs = 0x1003;
    frame = run(frame);
    expect_fault("code selector beyond the table", FAULT(frame.vector, frame.error_code),
                 FAULT(VECTOR_GP, 0x1000));
    frame = user_frame(user_nothing);
    frame.cs = FLAT_USER_SS;
    frame = run(frame);
    expect_vector("a data selector as code", FAULT(frame.vector, frame.error_code), VECTOR_GP);
#ifdef __x86_64__
    frame = user_frame(user_nothing);
    frame.rip = NON_CANONICAL_ADDRESS;
    frame = run(frame);
    expect_vector("rip not canonical", FAULT(frame.vector, frame.error_code), VECTOR_GP);
#endif
    frame = user_frame(user_nothing);
    frame.rip = HYPERVISOR_ADDRESS;
    frame = run(frame);
    expect_vector("rip in the hypervisor's range", FAULT(frame.vector, frame.error_code), VECTOR_PF);
    frame = run(user_frame(user_nothing));
    expect_fault("a good frame after", FAULT(frame.vector, frame.error_code),
                 FAULT(ENTRY_SYSCALL, 0));
}
