/* Memory and text. The compiler may call these by itself. */
#include "text.h"

#include <stdint.h>

/* String instructions, so that no loop here is turned into a call of itself. */
void *memcpy(void *to, const void *from, size_t count)
{
    void *destination = to;
    size_t words = count / 8;
    __asm__ volatile("rep movsq; mov %3, %2; rep movsb"
                     : "+D"(destination), "+S"(from), "+c"(words)
                     : "r"(count % 8)
                     : "memory");
    return to;
}

void *memset(void *to, int byte, size_t count)
{
    void *destination = to;
    size_t words = count / 8;
    __asm__ volatile("rep stosq; mov %3, %1; rep stosb"
                     : "+D"(destination), "+c"(words)
                     : "a"((byte & 0xfful) * 0x0101010101010101ul), "r"(count % 8)
                     : "memory");
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
