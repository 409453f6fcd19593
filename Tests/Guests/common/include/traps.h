/* Traps of the guest's kernel and of its user mode, and instructions that may fault. */
#ifndef GUEST_TRAPS_H
#define GUEST_TRAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "entries.h"
#include "xenabi.h"

_Static_assert(sizeof(struct trap_frame) == TRAP_FRAME_SIZE, "the stubs build this frame");

enum vector {
    VECTOR_DE, VECTOR_DB, VECTOR_NMI, VECTOR_BP, VECTOR_OF, VECTOR_BR, VECTOR_UD, VECTOR_NM,
    VECTOR_DF, VECTOR_TS = 10, VECTOR_NP, VECTOR_SS, VECTOR_GP, VECTOR_PF, VECTOR_MF = 16,
    VECTOR_AC, VECTOR_MC, VECTOR_XM
};

/* Bits of a page fault's error code. */
#define PF_PRESENT 1
#define PF_WRITE 2
#define PF_USER 4
#define PF_RESERVED 8
#define PF_FETCH 16

/* A fault as one number; 0 is none. */
typedef uint32_t fault_t;
#define NO_FAULT 0u
#define FAULT(vector, code) (0x80000000u | (uint32_t)(vector) << 16 | ((uint32_t)(code) & 0xffff))
#define FAULT_VECTOR(fault) (((fault) >> 16) & 0x7fff)
#define FAULT_CODE(fault) ((fault) & 0xffff)

/* A fault as text: none, #GP[0018]. Valid until the fourth call after. */
const char *fault_name(fault_t fault);

/* The last fault that a fixup caught. */
extern struct caught {
    fault_t fault;
    uint64_t rip;
    uint64_t cr2; /* Of a page fault. */
} caught;

/* Registers a continuation for a faulting instruction, in its assembly text. */
#define FIXUP(from, to) ".pushsection .fixups, \"a\"; " ADDRESS_WORD " " #from ", " #to "; .popsection\n"

/*
 * Executes an instruction and gives back its fault:
 *     fault_t fault = TRY("rdmsr", : "=a"(low), "=d"(high) : "c"(number));
 * The operands follow the first colon as in an asm statement.
 */
#define TRY(instruction, operands...)                                                              \
    ({                                                                                             \
        caught.fault = NO_FAULT;                                                                   \
        __asm__ volatile("1: " instruction "\n2:\n" FIXUP(1b, 2b) operands);                       \
        *(volatile fault_t *)&caught.fault;                                                        \
    })

/* Reads or writes memory that may not be there. */
fault_t try_read(const volatile void *address, uint64_t *value);
fault_t try_write(volatile void *address, uint64_t value);

/*
 * Called for each trap that comes from the kernel before fixups are looked for; true ends the
 * matter and returns to the frame, which the hook may change.
 */
typedef bool trap_hook(struct trap_frame *frame);
void set_trap_hook(trap_hook *hook);

/* How many entries of each kind there were: exceptions by vector, then ENTRY numbers. */
uint64_t entries_seen(unsigned int kind);

/* Registers the runtime's handlers, stacks and callbacks; start.c calls it. */
void traps_initialise(void);
/*
 * The architecture's part: set_callbacks with the runtime's entries for events and system calls, as
 * far as it takes them, and a failsafe entry.
 */
long callbacks_register(const void *failsafe);

/* The stubs, for guests that register a table of their own. */
extern const unsigned long trap_entries[32];
extern char trap_entry_gate[], syscall_entry[], sysenter_entry[], event_entry[], failsafe_entry[];

static inline bool frame_is_user(const struct trap_frame *frame)
{
    return (frame->cs & 3) == 3;
}

#endif /* GUEST_TRAPS_H */
