/* Traps: exceptions, as the hypervisor hands them on. */
#ifndef TRAPS_H
#define TRAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "machine.h"

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
typedef bool page_fault_handler(uintptr_t address, uint64_t error_code);
void traps_on_page_fault(page_fault_handler *handler);

#endif
