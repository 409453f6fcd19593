/*
 * test: attack-iret-selectors
 * Frames for iret with selectors of ring 0, of the hypervisor and of nothing. A careless hypervisor
 * loads them in its own iret, in ring 0. After each attempt the guest is in ring 3, on 32 bits perhaps
 * in ring 1, or has been told by a fault.
 */
#include "guest.h"

USER_CODE(user_nothing, "movw %cs, %ax; " SYSTEM_CALL "; ud2");

static unsigned int is_other_ring(const struct trap_frame *frame)
{
    unsigned int ring = frame->rax & 3;
    return frame->vector == ENTRY_SYSCALL && ring != 3 && !(PAGING_LEVELS == 3 && ring == 1);
}

/* A frame with a selector of ring 0 is not known as user mode's by the runtime. */
static bool hook(struct trap_frame *frame)
{
    if (frame->rip >= USER_TEXT && frame->rip < USER_DATA)
        user_ended(frame);
    return false;
}

void test_main(void)
{
    set_trap_hook(hook);
    static const uint16_t selectors[] = {0,      1,      2,      3,      8,      0x10,
                                         0xe008, 0xe00b, 0xe010, 0xe013, 0xe018, 0xe02b,
                                         0xe030, 0xe038, 0xe040, 0xe050, 0xfff8, 0xffff};
    unsigned int low = 0, ended = 0;
    for (unsigned int i = 0; i < 18; i++) {
        struct trap_frame frame = user_frame(user_nothing);
        frame.cs = selectors[i];
        user_run(&frame);
        ended++;
        low += is_other_ring(&frame);
        frame = user_frame(user_nothing);
        frame.ss = selectors[i];
        user_run(&frame);
        ended++;
        low += is_other_ring(&frame);
    }
    expect_value("frames that came to an end", ended, 36);
    expect_value("entries of another ring", low, 0);
}
