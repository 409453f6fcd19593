/* What the attack guests share: refusals whose kind does not matter, and pointers that are bad. */
#ifndef GUEST_ATTACK_H
#define GUEST_ATTACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "memory.h"
#include "traps.h"

/* Something a guest must not get: any error of the ABI is right, success is a failure. */
void refused(const char *what, long result);
/* Many attempts told as one line: begin, any number of attempts, end. */
void refusals_begin(void);
bool refusal(long result, uint64_t which);
void refusals_end(const char *what);

/* An instruction or access that must fault; by which fault may differ between processors. */
void faulted(const char *what, fault_t fault);

/* Makes a hypercall with an argument at an address. */
typedef long pointer_call(void *pointer);
/*
 * Tries the call with an argument of `size` bytes at every bad place: nowhere, in the hypervisor's
 * range, not canonical, and with its middle on the border of each of these. One line tells it.
 */
void expect_pointers(const char *what, pointer_call *call, size_t size, long expected);
/* The same for a result that the hypervisor writes: also read-only pages and page tables. */
void expect_output_pointers(const char *what, pointer_call *call, size_t size, long expected);

/* A repeatable sequence of numbers. */
uint64_t random_next(void);

#endif /* GUEST_ATTACK_H */
