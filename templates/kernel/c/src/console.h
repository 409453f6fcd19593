/* Printing. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdarg.h>
#include <stddef.h>

/* Knows %s %c %d %u %x %ld %lu %lx %p %%; no widths. Any context. */
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);
__attribute__((format(printf, 1, 0))) void print_list(const char *format, va_list arguments);

/* Finds the domain's own console, if it has one. Before it print() reaches the hypervisor's log
 * alone, which works from the first instruction on. */
void console_start(void);

#endif
