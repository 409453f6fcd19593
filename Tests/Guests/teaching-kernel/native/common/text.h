/* Memory and text, for the kernel and for programs. */
#ifndef TEXT_H
#define TEXT_H

#include <stdarg.h>
#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *memory, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);
size_t text_length(const char *text);
int text_equal(const char *a, const char *b);

/*
 * Formats into a buffer, which ends in a zero whatever happens, and gives the length. Knows %s %c
 * %d %u %x %%, and ld, lu, lx.
 */
__attribute__((format(printf, 3, 0))) size_t text_format(char *buffer, size_t size,
                                                          const char *format, va_list arguments);

#endif
