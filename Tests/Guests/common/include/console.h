/* Printing through console_io. A line goes out in one call, so that nothing comes between. */
#ifndef GUEST_CONSOLE_H
#define GUEST_CONSOLE_H

#include <stdarg.h>
#include <stddef.h>

/*
 * Formats: %c %s %d %u %x %p, with l (64 bits, whatever the width of long), width, 0 and -. More:
 *   %E   (long) the result of a hypercall: a number, or an error's name such as -EINVAL
 *   %F   (fault_t) a fault: none, #GP[0018], #PF[0002] ...
 */
void print(const char *format, ...);
void vprint(const char *format, va_list arguments);

#endif /* GUEST_CONSOLE_H */
