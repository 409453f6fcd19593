/*
 * test: nested-traps
 * Handlers may fault themselves: frames pile up on the kernel's stack and unwind in order, with the
 * registers and masks of each level intact.
 */
#include "guest.h"

static unsigned int depth, deepest;

static bool nest(struct trap_frame *frame)
{
    if (frame->vector != VECTOR_UD)
        return false;
    depth++;
    if (depth > deepest)
        deepest = depth;
    if (depth < 10) {
        unsigned long kept = frame->rbx;
        fault_t fault = TRY("mov %0, %%" BX "; ud2", : : "r"(kept + 1) : "rbx", "memory");
        (void)fault;
    }
    depth--;
    frame->rip += 2;
    return true;
}

void test_main(void)
{
    set_trap_hook(nest);
    unsigned long rbx = 0x1000;
    __asm__ volatile("ud2" : "+b"(rbx) : : "memory");
    expect_value("depth", deepest, 10);
    expect_value("rbx", rbx, 0x1000);
    expect_value("depth after", depth, 0);
    set_trap_hook(0);
    expect_fault("page fault after", try_read((void *)UNMAPPED_ADDRESS, 0), FAULT(VECTOR_PF, 0));
}
