/*
 * memcpy, memmove, memset and memcmp, which compilers call on their own. String instructions,
 * because a loop in C may be compiled into a call of the very function it is in.
 */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *to, const void *from, size_t count) {
    void *d = to;
    size_t words = count >> 3, rest = count & 7;
    __asm__ volatile("rep movsq; mov %3, %2; rep movsb"
                     : "+D"(d), "+S"(from), "+c"(words) : "r"(rest) : "memory");
    return to;
}

void *memmove(void *to, const void *from, size_t count) {
    if ((uintptr_t)to - (uintptr_t)from >= count)
        return memcpy(to, from, count);
    uint8_t *d = (uint8_t *)to + count - 1;
    const uint8_t *s = (const uint8_t *)from + count - 1;
    __asm__ volatile("std; rep movsb; cld" : "+D"(d), "+S"(s), "+c"(count) : : "memory");
    return to;
}

void *memset(void *to, int byte, size_t count) {
    void *d = to;
    size_t words = count >> 3, rest = count & 7;
    uint64_t pattern = (uint8_t)byte * 0x0101010101010101u;
    __asm__ volatile("rep stosq; mov %3, %1; rep stosb"
                     : "+D"(d), "+c"(words) : "a"(pattern), "r"(rest) : "memory");
    return to;
}

int memcmp(const void *left, const void *right, size_t count) {
    const uint8_t *l = left, *r = right;
    for (size_t i = 0; i < count; i++)
        if (l[i] != r[i])
            return l[i] < r[i] ? -1 : 1;
    return 0;
}
