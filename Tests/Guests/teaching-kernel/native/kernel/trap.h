/* Traps: exceptions and interrupts. */
#ifndef TRAP_H
#define TRAP_H

#include <stdbool.h>
#include <stdint.h>

/* What entry.S leaves on the stack, from low addresses to high ones. */
struct frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
    uint64_t vector, error_code; /* 0 where an exception has no error code */
    uint64_t rip, cs, rflags, rsp, ss;
};

#define VECTOR_PAGE_FAULT 14u

/* Whether a frame was made by user mode. */
static inline bool frame_is_user(const struct frame *frame)
{
    return frame->cs & 3;
}

/* Tells the processor about all entries. */
void traps_start(void);
/* A frame for a program that begins. */
struct frame frame_for_program(uint64_t entry, uint64_t stack);
/* Leaves the kernel by a frame at the top of the process's stack; entry.S. */
__attribute__((noreturn)) void frame_resume(struct frame *frame);

#endif
