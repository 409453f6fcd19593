/* A second vcpu for attacks on what two do at once. */
#ifndef GUEST_SECOND_H
#define GUEST_SECOND_H

#include <stdbool.h>
#include <stdint.h>

#include "xenabi.h"

/*
 * Starts vcpu 1 in a function, which may make hypercalls and use memory but must not trap: traps
 * and events are vcpu 0's. False, with a line that says SKIP, where there is no such vcpu. The
 * function must not return before second_stop asks for it.
 */
bool second_start(void (*function)(void));
/* The same, with these flags in the vcpu's context. */
bool second_start_with(void (*function)(void), uint64_t flags);
/* The architecture's part: a vcpu that begins at `entry` with this stack and the kernel's table. */
void context_prepare(struct vcpu_guest_context *context, uintptr_t entry, uintptr_t stack,
                     uint64_t flags);
/* True once vcpu 1 is to come back. */
bool second_shall_stop(void);
/* Asks vcpu 1 to come back and waits until it is down. */
void second_stop(void);

#endif /* GUEST_SECOND_H */
