/* Registration of traps, and what becomes of them. */
#include "traps.h"

#include "console.h"
#include "domain.h"
#include "events.h"

#define ENTRY_SIZE 16u

extern char exception_entries[], event_entry[], failsafe_entry[];

static page_fault_handler *on_page_fault;

void traps_on_page_fault(page_fault_handler *handler)
{
    on_page_fault = handler;
}

void traps_start(void)
{
    /* A row of zeros ends the table. */
    static struct trap_info table[33];

    for (unsigned int vector = 0; vector < 32; vector++) {
        table[vector].vector = (uint8_t)vector;
        table[vector].cs = FLAT_KERNEL_CS;
        table[vector].address = (unsigned long)exception_entries + vector * ENTRY_SIZE;
        /* An event that comes before the handler has read the faulting address could fault itself
         * and overwrite it. */
        if (vector == VECTOR_PAGE_FAULT)
            table[vector].flags = XEN_TRAP_MASK_EVENTS;
    }
    long error = HYPERVISOR_set_trap_table(table);
    if (!error)
        error = callbacks_set(event_entry, failsafe_entry);
    if (error)
        panic("traps cannot be registered: %ld", error);
}

/* Ends the kernel with everything that helps to find the fault. */
static void report(const struct trap_frame *frame)
{
    static const char *const names[] = {
        "divide error", "debug", "NMI", "breakpoint", "overflow", "bound", "invalid opcode",
        "no FPU", "double fault", "", "invalid TSS", "segment not present", "stack fault",
        "general protection", "page fault", "", "FPU error", "alignment", "machine check",
        "SIMD error"};
    const char *name = frame->vector < sizeof(names) / sizeof(*names) ? names[frame->vector] : "";

    print("trap %u %s, error code 0x%x\n", (unsigned int)frame->vector, name,
          (unsigned int)frame->error_code);
    if (frame->vector == VECTOR_PAGE_FAULT)
        print("address 0x%lx\n", this_vcpu()->arch.cr2);
    registers_print(frame);
    panic("nobody handles this trap");
}

/* Called by traps.S; to return is to go on where the trap came from. */
void trap_handle(struct trap_frame *frame);
void trap_handle(struct trap_frame *frame)
{
    if (frame->vector == VECTOR_EVENT) {
        events_deliver();
        return;
    }
    /* %cr2 itself cannot be read here: the hypervisor leaves its value in the shared page. */
    if (frame->vector == VECTOR_PAGE_FAULT && on_page_fault &&
        on_page_fault(this_vcpu()->arch.cr2, frame->error_code))
        return;
    report(frame);
}
