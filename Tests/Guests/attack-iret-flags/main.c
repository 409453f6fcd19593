/*
 * test: attack-iret-flags
 * Frames whose flags ask for I/O privilege, nested tasks, virtual-8086 mode, interrupts off and
 * every other bit. What user mode then has are harmless bits: interrupts stay on, the privilege
 * level stays 0, and neither NT nor VM may come to the hypervisor's own iret.
 */
#include "guest.h"

USER_CODE(user_flags, "pushf; pop %" AX "; " SYSTEM_CALL "; ud2");
USER_CODE(user_cli, "cli; " SYSTEM_CALL "; ud2");
USER_CODE(user_out, "outb %al, $0x80; " SYSTEM_CALL "; ud2");

/* On 32 bits virtual-8086 mode is asked for in vain, and the iret itself faults. */
static bool hook(struct trap_frame *frame)
{
    if (frame->vector == VECTOR_GP && !frame_is_user(frame))
        user_ended(frame);
    return false;
}

void test_main(void)
{
    set_trap_hook(hook);
    unsigned int ended = 0, privileged = 0, off = 0, virtual = 0;
    for (unsigned int bit = 0; bit <= 64; bit++) {
        if (bit == 8) /* TF has a guest of its own. */
            continue;
#ifdef __i386__
        /* Virtual-8086 mode is refused in the kernel, where the frame is: a guest of its own. */
        if (bit == 17 || bit >= 32)
            continue;
#endif
        struct trap_frame frame = user_frame(user_flags);
        frame.rflags = bit == 64 ? ~0x100ul & 0xffffffff : frame.rflags | 1ull << bit;
        user_run(&frame);
        ended++;
        if (frame.vector != ENTRY_SYSCALL)
            continue;
        privileged += (frame.rax >> 12 & 3) != 0;
        off += !(frame.rax >> 9 & 1);
        virtual += frame.rax >> 17 & 1;
    }
    expect_value("frames that came to an end", ended, PAGING_LEVELS == 4 ? 64 : 30);
    expect_value("with I/O privilege", privileged, 0);
    expect_value("with interrupts off", off, 0);
    expect_value("in virtual-8086 mode", virtual, 0);
    struct trap_frame frame = user_frame(user_cli);
    frame.rflags |= 0x3000;
    user_run(&frame);
    expect_fault("cli", FAULT(frame.vector, frame.error_code), FAULT(VECTOR_GP, 0));
    frame = user_frame(user_out);
    frame.rflags |= 0x3000;
    user_run(&frame);
    expect_fault("out", FAULT(frame.vector, frame.error_code), FAULT(VECTOR_GP, 0));
}
