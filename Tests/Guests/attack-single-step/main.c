/*
 * test: attack-single-step
 * User mode with the trap flag set runs into syscall, software interrupts, faults and loads of the
 * stack segment, whose inhibition moves the debug trap to the instruction after: into ring 0
 * (CVE-2018-8897). The trap must come to the guest, or not at all.
 */
#include "guest.h"

USER_CODE(user_syscall, SYSTEM_CALL "; nop; ud2");
USER_CODE(user_int3, "int3; ud2");
USER_CODE(user_int80, "int $0x80; ud2");
USER_CODE(user_ss_syscall, "movw %ss, %ax; movw %ax, %ss; " SYSTEM_CALL "; ud2");
USER_CODE(user_ss_int3, "movw %ss, %ax; movw %ax, %ss; int3; ud2");
USER_CODE(user_ss_int80, "movw %ss, %ax; movw %ax, %ss; int $0x80; ud2");
USER_CODE(user_ss_hlt, "movw %ss, %ax; movw %ax, %ss; hlt; ud2");
USER_CODE(user_popf, "push $0x102; popf; " SYSTEM_CALL "; ud2");
USER_CODE(user_icebp, ".byte 0xf1; ud2");
USER_CODE(user_fault, "mov " HYPERVISOR_TEXT ", %" AX "; ud2");

void test_main(void)
{
    const void *codes[] = {user_syscall,  user_int3,   user_int80, user_ss_syscall, user_ss_int3,
                           user_ss_int80, user_ss_hlt, user_popf,  user_icebp,      user_fault};
    unsigned int ended = 0, steps = 0;
    for (unsigned int i = 0; i < 10; i++)
        for (unsigned int flags = 0; flags <= 0x100; flags += 0x100) {
            struct trap_frame frame = user_frame(codes[i]);
            frame.rflags |= flags;
            /* Each debug trap goes on, with the flag, until something else ends it. */
            for (unsigned int step = 0; step < 16; step++) {
                user_run(&frame);
                if (frame.vector != VECTOR_DB)
                    break;
                steps++;
            }
            ended++;
        }
    expect_value("codes that came to an end", ended, 20);
    expect_true("steps were seen", steps > 4);
    /* The kernel's own syscall, stepped into. */
    expect_true("the kernel lives", HYPERVISOR_xen_version(XENVER_version, 0) > 0);
}
