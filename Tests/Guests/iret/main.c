/*
 * test: iret
 * The iret hypercall loads flags, selectors and the stack in one step: its interrupt flag becomes
 * the upcall mask, privileged flags are ignored, and the privilege of the selector chooses user or
 * kernel mode.
 */
#include "guest.h"

/* Goes through the iret hypercall to the next line, with these flags and code selector. */
static uint64_t through_iret(uint64_t rflags, uint64_t cs)
{
#ifdef __x86_64__
    uint64_t found, kept_rsp;
    __asm__ volatile("movq %%rsp, %1\n"
                     "pushq %4; pushq %1; pushq %2; pushq %3\n"
                     "leaq 1f(%%rip), %0; pushq %0\n"
                     "pushq $0\n"
                     "jmp hypercall_page + 23 * 32\n"
                     "1: pushfq; popq %0"
                     : "=&r"(found), "=&r"(kept_rsp)
                     : "r"(rflags), "r"(cs), "i"(FLAT_KERNEL_SS)
                     : "memory", "cc");
#else
    /* To ring 1, without a stack; the slot pushes %eax. */
    uint32_t found;
    __asm__ volatile("pushl %1; pushl %2; pushl $1f\n"
                     "jmp hypercall_page + 23 * 32\n"
                     "1: pushfl; popl %0"
                     : "=r"(found)
                     : "r"((uint32_t)rflags), "r"((uint32_t)cs)
                     : "memory", "cc");
#endif
    return found;
}

USER_CODE(user_flags, "pushf; pop %" AX "; mov %cs, %ebx; mov %ss, %ecx; movl %ecx, %edx; " SYSTEM_CALL "; ud2");

void test_main(void)
{
    uint64_t flags = through_iret(0x202, FRAME_KERNEL_CS);
    expect_true("events enabled by IF", events_enabled());
    expect_value("carry is clear", flags & 1, 0);
    flags = through_iret(0x003, FRAME_KERNEL_CS);
    expect_true("events disabled without IF", !events_enabled());
    expect_value("carry is set", flags & 1, 1);
    flags = through_iret(0x3002 | 0x4000, FRAME_KERNEL_CS);
    expect_value("IOPL stays 0", flags & 0x3000, 0);
    __asm__ volatile("pushf; andl $~0x4000, (%%" SP "); popf" : : : "memory", "cc");
    flags = through_iret(0x402, FRAME_KERNEL_CS);
    expect_value("direction is set", flags & 0x400, 0x400);
    __asm__ volatile("cld");

    struct trap_frame frame = user_frame(user_flags);
    frame.rflags = 0xcd7 | 0x3000;
    user_run(&frame);
    expect_fault("user mode", FAULT(frame.vector, frame.error_code), FAULT(ENTRY_SYSCALL, 0));
    expect_value("user's flags without IF", frame.rax & ~0x200ul, 0x8d7 | 0x400);
    expect_value("user's code selector", frame.rbx & 0xffff, FLAT_USER_CS);
    expect_value("user's stack selector", frame.rdx & 0xffff, FLAT_USER_SS);
}
