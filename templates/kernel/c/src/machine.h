/* What is the machine's: where the kernel lies, its page tables, and what a trap leaves. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdint.h>

#include "xenabi.h"

/* The image begins one megabyte above (link.ld), and all memory is mapped here in its own order. */
#define KERNEL_BASE 0xffffffff80000000ul
/* Pages that we can ever map there: what one second-level table reaches, which the loader made. */
#define MOST_PAGES (1ul << 18)

/* Levels of page tables. */
#define LEVELS 4u
/* PV kernels run in ring 3, so every page is a "user" page. */
#define PAGE_KERNEL PAGE_USER
/* Flags of an entry of `level` that points to a table. */
#define TABLE_FLAGS(level) PAGE_WRITABLE

/* Nothing is mapped at the start in these: pages of the example, and frames of others. */
#define LAZY_START 0x100000000000ul
#define EXAMPLE_WINDOW 0x110000000000ul
#define FRAMES_WINDOW 0x120000000000ul

/* What traps.S leaves on the stack, from the top down. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
    uint64_t vector, error_code; /* Error code 0 where the exception has none. */
    uint64_t rip;
    uint64_t cs; /* Bits 32-39: the mask of events that the interrupted code had. */
    uint64_t rflags, rsp, ss;
};

/* Prints all of it. */
void registers_print(const struct trap_frame *frame);

/* Registers where events enter, and lost segments. */
static inline long callbacks_set(const void *event, const void *failsafe)
{
    return HYPERVISOR_set_callbacks((unsigned long)event, (unsigned long)failsafe, 0);
}

#endif
