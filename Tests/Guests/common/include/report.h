/*
 * Results. Each check prints one line with what was seen, so that two hypervisors can be compared
 * line by line. The worst status wins: SUCCESS < SKIP < ERROR < FAILURE.
 */
#ifndef GUEST_REPORT_H
#define GUEST_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include "traps.h"

/* The hypervisor does not do what it should. Prints and goes on. */
void failure(const char *format, ...);
/* The test itself cannot go on as planned. Prints and goes on. */
void error(const char *format, ...);
/* Something that the test needs is not offered here. Prints and goes on. */
void skip(const char *format, ...);
/* As error, and ends the domain with SHUTDOWN_crash. */
__attribute__((noreturn)) void panic(const char *format, ...);

/* A hypercall's result against the one expected. */
void expect_result(const char *what, long found, long expected);
/* A number, printed in hexadecimal. */
void expect_value(const char *what, uint64_t found, uint64_t expected);
/* A condition; the line says yes or no. */
void expect_true(const char *what, bool found);
/* A fault against the one expected, error code included. */
void expect_fault(const char *what, fault_t found, fault_t expected);
/* A fault by its vector alone, where an emulated processor's error code differs from the manual's. */
void expect_vector(const char *what, fault_t found, unsigned int vector);
/* Text. */
void expect_text(const char *what, const char *found, const char *expected);

/* A result as text: 0, 3, -EINVAL. Valid until the fourth call after. */
const char *result_name(long result);

/* Prints the last line and powers off, or crashes after panic. */
__attribute__((noreturn)) void report_and_end(void);

#endif /* GUEST_REPORT_H */
