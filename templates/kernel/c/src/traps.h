/* Traps: exceptions, as the hypervisor hands them on. */
#ifndef TRAPS_H
#define TRAPS_H

#include <stdbool.h>
#include <stdint.h>

/* What traps.S leaves on the stack, from the top down. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
    uint64_t vector, error_code; /* Error code 0 where the exception has none. */
    uint64_t rip;
    uint64_t cs; /* Bits 32-39: the mask of events that the interrupted code had. */
    uint64_t rflags, rsp, ss;
};

#define VECTOR_PAGE_FAULT 14u
/* Not a vector of the processor: traps.S uses it for the hypervisor's event callback. */
#define VECTOR_EVENT 256u
/* The hypervisor could not load the segments that we asked for. */
#define VECTOR_FAILSAFE 257u

/* Bits of a page fault's error code. */
#define FAULT_PRESENT 1u
#define FAULT_WRITE 2u

/* Registers all handlers with the hypervisor. */
void traps_start(void);

/* Called on a page fault; true: it is cured, try the instruction again. */
typedef bool page_fault_handler(uint64_t address, uint64_t error_code);
void traps_on_page_fault(page_fault_handler *handler);

#endif
