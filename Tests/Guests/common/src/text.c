/* Memory and text. The compiler may call these by itself. */
#include "text.h"

#include <stdint.h>

/* String instructions, so that no loop here is turned into a call of itself. */
void *memcpy(void *to, const void *from, size_t count)
{
    void *destination = to;
    __asm__ volatile("rep movsb" : "+D"(destination), "+S"(from), "+c"(count) : : "memory");
    return to;
}

void *memset(void *to, int byte, size_t count)
{
    void *destination = to;
    __asm__ volatile("rep stosb" : "+D"(destination), "+c"(count) : "a"(byte) : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t count)
{
    if ((uintptr_t)to <= (uintptr_t)from || (uintptr_t)to >= (uintptr_t)from + count)
        return memcpy(to, from, count);
    void *destination = (char *)to + count - 1;
    from = (const char *)from + count - 1;
    __asm__ volatile("std; rep movsb; cld" : "+D"(destination), "+S"(from), "+c"(count) : : "memory");
    return to;
}

int memcmp(const void *a, const void *b, size_t count)
{
    const unsigned char *left = a, *right = b;
    for (size_t i = 0; i < count; i++)
        if (left[i] != right[i])
            return left[i] - right[i];
    return 0;
}

size_t strlen(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

int strcmp(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t count)
{
    for (; count; count--, a++, b++)
        if (*a != *b || !*a)
            return (unsigned char)*a - (unsigned char)*b;
    return 0;
}
