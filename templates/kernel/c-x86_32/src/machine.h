/* What is the machine's: where the kernel lies, its page tables, and what a trap leaves. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdint.h>

#include "xenabi.h"

/* The image begins one megabyte above (link.ld), and all memory is mapped here in its own order. */
#define KERNEL_BASE 0xc0000000ul
/* Pages that we can ever map there: the end of the address space is the hypervisor's. */
#define MOST_PAGES ((HYPERVISOR_VIRT_START - KERNEL_BASE) / PAGE_SIZE)

/* Levels of page tables. */
#define LEVELS 3u
/* Ring 1 may use pages that user mode, in ring 3, may not. */
#define PAGE_KERNEL 0x0ull
/* Flags of an entry of `level` that points to a table. In the four of the top the processor wants
 * most bits to be zero. */
#define TABLE_FLAGS(level) ((level) == LEVELS ? PAGE_PRESENT : PAGE_WRITABLE)

/* Nothing is mapped at the start in these: pages of the example, and frames of others. */
#define LAZY_START 0x10000000ul
#define EXAMPLE_WINDOW 0x11000000ul
#define FRAMES_WINDOW 0x20000000ul

/* What traps.S leaves on the stack, from the top down. */
struct trap_frame {
    uint32_t ds, es, edi, esi, ebp, ebx, edx, ecx, eax;
    uint32_t vector, error_code; /* Error code 0 where the exception has none. */
    uint32_t eip;
    uint32_t cs; /* Bits 16-23: the mask of events that the interrupted code had. */
    uint32_t eflags;
    uint32_t esp, ss; /* Only of a trap from ring 3. */
};

/* Prints all of it. */
void registers_print(const struct trap_frame *frame);

/* Registers where events enter, and lost segments. */
static inline long callbacks_set(const void *event, const void *failsafe)
{
    return HYPERVISOR_set_callbacks(FLAT_KERNEL_CS, (unsigned long)event, FLAT_KERNEL_CS,
                                    (unsigned long)failsafe);
}

#endif
