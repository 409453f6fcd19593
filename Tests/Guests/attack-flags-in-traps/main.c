/*
 * test: attack-flags-in-traps
 * User mode sets the direction, NT, AC and other flags and then traps in every way. The hypervisor
 * writes the frame for the kernel with its own string instructions; the kernel starts with clean
 * flags or cleans them itself, but its frame must stand where the stack pointer says.
 */
#include "guest.h"

USER_CODE(user_ud2, "push %" DI "; popf; ud2");
USER_CODE(user_syscall, "push %" DI "; popf; " SYSTEM_CALL);
USER_CODE(user_page_fault, "push %" DI "; popf; mov (%" SI "), %" AX);
USER_CODE(user_gp, "push %" DI "; popf; hlt");

void test_main(void)
{
    const void *codes[] = {user_ud2, user_syscall, user_page_fault, user_gp};
    static const uint16_t vectors[] = {VECTOR_UD, ENTRY_SYSCALL, VECTOR_PF, VECTOR_GP};
    unsigned int right = 0, privileged = 0;
    for (unsigned int i = 0; i < 4; i++)
        for (unsigned int bit = 0; bit < 22; bit++) {
            if (bit == 8)
                continue;
            struct trap_frame frame = user_frame(codes[i]);
            frame.rdi = 0x202 | 1ul << bit;
            frame.rsi = UNMAPPED_ADDRESS;
            user_run(&frame);
            right += frame.vector == vectors[i] && frame.rsp == USER_STACK + PAGE_SIZE;
            privileged += (frame.rflags & 0x23000) != 0;
        }
    expect_value("frames in their place", right, 4 * 21);
    expect_value("with I/O privilege or VM", privileged, 0);
}
