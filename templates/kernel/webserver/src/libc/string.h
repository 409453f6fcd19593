/* What lwIP wants of the C library: memory functions, and few of texts. */
#ifndef STRING_H
#define STRING_H

#include "text.h"

size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t size);

#endif
