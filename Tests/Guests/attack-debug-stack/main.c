/*
 * test: attack-debug-stack
 * A data breakpoint on the guest's own stack, hit by a load of the stack segment: the trap waits
 * until the instruction after, which is a system call or a software interrupt, and so comes in ring
 * 0 (CVE-2018-8897). It must be the guest's trap, or none.
 */
#include "guest.h"

USER_CODE(user_ss_syscall, "movw (%" DI "), %ss; " SYSTEM_CALL "; ud2");
USER_CODE(user_ss_int3, "movw (%" DI "), %ss; int3; ud2");
USER_CODE(user_pop_ss, "movw (%" DI "), %ss; int $0x80; ud2");

void test_main(void)
{
    if (HYPERVISOR_set_debugreg(0, USER_DATA) == -XEN_ENOSYS) {
        skip("no debug registers");
        return;
    }
    user_initialise();
    *(uint16_t *)user_data() = FLAT_USER_SS;
    if (HYPERVISOR_set_debugreg(7, 0xf0001 | 0x300))
        panic("a breakpoint of its own is refused");
    const void *codes[] = {user_ss_syscall, user_ss_int3, user_pop_ss};
    unsigned int ended = 0;
    for (unsigned int i = 0; i < 3; i++)
        for (unsigned int flags = 0; flags <= 0x100; flags += 0x100) {
            struct trap_frame frame = user_frame(codes[i]);
            frame.rdi = USER_DATA;
            frame.rflags |= flags;
            for (unsigned int step = 0; step < 8; step++) {
                user_run(&frame);
                if (frame.vector != VECTOR_DB)
                    break;
            }
            ended++;
        }
    HYPERVISOR_set_debugreg(7, 0);
    expect_value("codes that came to an end", ended, 6);
}
