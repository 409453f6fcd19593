/* Segments, the task state, and the registers of the syscall instruction. */
#ifndef SEGMENTS_H
#define SEGMENTS_H

#include <stdint.h>

/* %gs in the kernel; entry.S knows the offsets. */
struct processor {
    uint64_t kernel_stack, user_stack;
};

/* Loads the processor's tables, and opens the way for system calls. */
void segments_start(void);
/* Where the next entry from user mode finds its stack, and where %fs of the program counts from. */
void segments_set_process(uint64_t kernel_stack, uint64_t thread_pointer);

#endif
