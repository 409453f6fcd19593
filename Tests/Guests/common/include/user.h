/*
 * User mode: on 64 bits an address space of its own that shares the lowest 512 GB with the kernel,
 * on 32 bits the kernel's. A guest puts code into the section .user, and user_run enters it until
 * the next trap or SYSTEM_CALL.
 */
#ifndef GUEST_USER_H
#define GUEST_USER_H

#include <stdint.h>

#include "memory.h"
#include "traps.h"

#define USER_TEXT 0x400000ul
#define USER_STACK 0x800000ul /* First byte of the stack's only page. */
#define USER_DATA 0xa00000ul  /* A writable page; user_data() is the kernel's name for it. */

/*
 * Defines code for user mode by its assembly text; the name is its address in .user. The code runs
 * elsewhere than it is linked, so it may refer to itself only relatively.
 */
#define USER_CODE(name, text)                                                                      \
    extern const char name[];                                                                      \
    __asm__(".pushsection .user, \"ax\"; .globl " #name "; " #name ":\n" text "\n.popsection")

/* Builds the user's address space and loads it. */
void user_initialise(void);
/* The architecture's part: makes user mode see what the kernel's table maps low. */
pte_t *user_top_make(void);
/* The user's top table, for guests that change it. */
pte_t *user_top_table(void);
/* The kernel's mapping of the page at USER_DATA. */
void *user_data(void);

/* Where user mode finds code of .user. */
uint64_t user_address(const void *code);

/* A frame that enters code of .user with a fresh stack and events as they are in the kernel. */
struct trap_frame user_frame(const void *code);

/*
 * Goes to the frame, and comes back at the next trap or system call from user mode with the frame
 * as it was then; vector and error_code say what came. Events are handled on the way.
 */
void user_run(struct trap_frame *frame);
/* Flags of every return by iret: 0, or VGCF_in_syscall for tests of the fast way back. */
extern uint64_t iret_flags; /* 64 bits only */
/* The same in one step for code without arguments; gives back what ended it. */
fault_t user_try(const void *code);

/* Called by trap_dispatch for traps from user mode; does not return while user_run waits. */
void user_ended(struct trap_frame *frame);

#endif /* GUEST_USER_H */
