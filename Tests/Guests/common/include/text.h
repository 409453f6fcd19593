/* Memory and text, as a freestanding compiler expects them. */
#ifndef GUEST_TEXT_H
#define GUEST_TEXT_H

#include <stddef.h>

void *memcpy(void *to, const void *from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int byte, size_t count);
int memcmp(const void *a, const void *b, size_t count);
size_t strlen(const char *text);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t count);

#endif /* GUEST_TEXT_H */
