/* The console, and the end of the machine. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stddef.h>

void console_start(void);
/* Writes bytes. Any context. */
void console_write(const char *text, size_t size);

/* A line for the log; text.h says what it can format. */
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);
/* Says why, and stops. */
__attribute__((noreturn, format(printf, 1, 2))) void panic(const char *format, ...);
/* Switches the machine off. */
__attribute__((noreturn)) void power_off(void);

#endif
