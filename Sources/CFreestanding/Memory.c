/*
 * memcpy, memmove, memset and memcmp, which compilers call on their own.
 */
#include <stddef.h>
#include <stdint.h>

/* A word at any address, of whatever type lies there. */
typedef uintptr_t __attribute__((aligned(1), may_alias)) word;

/*
 * Words and not string instructions: these are as fast on a processor where it is not about many
 * kilobytes, and several times as fast under an emulator, which takes up a repeated instruction anew
 * for each element. The last word is read before anything is written, since a copy to a lower address
 * may overlap.
 */
void *memcpy(void *to, const void *from, size_t count) {
    void *d = to;
    const void *s = from;
    if (count < sizeof(word)) {
        __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(count) : : "memory");
        return to;
    }
    word last = *(const word *)((const char *)s + count - sizeof(word));
    word *end = (word *)((char *)d + count - sizeof(word));
    size_t words = count / sizeof(word);
#ifdef __x86_64__
    word first, second;
    size_t blocks = count / 64;
    if (blocks)
        __asm__ volatile("1: movq (%1), %3; movq 8(%1), %4; movq %3, (%0); movq %4, 8(%0)\n"
                         "movq 16(%1), %3; movq 24(%1), %4; movq %3, 16(%0); movq %4, 24(%0)\n"
                         "movq 32(%1), %3; movq 40(%1), %4; movq %3, 32(%0); movq %4, 40(%0)\n"
                         "movq 48(%1), %3; movq 56(%1), %4; movq %3, 48(%0); movq %4, 56(%0)\n"
                         "addq $64, %1; addq $64, %0; decq %2; jnz 1b"
                         : "+r"(d), "+r"(s), "+r"(blocks), "=&r"(first), "=&r"(second)
                         :
                         : "memory", "cc");
    words %= 8;
#endif
    for (; words; words--) {
        *(word *)d = *(const word *)s;
        d = (char *)d + sizeof(word);
        s = (const char *)s + sizeof(word);
        __asm__ volatile("" : : : "memory"); /* or a compiler makes a call of this function of it */
    }
    *end = last;
    return to;
}

void *memmove(void *to, const void *from, size_t count) {
    if ((uintptr_t)to - (uintptr_t)from >= count)
        return memcpy(to, from, count);
    /* They overlap and `to` is behind: backwards. */
    while (count >= sizeof(word)) {
        count -= sizeof(word);
        *(word *)((char *)to + count) = *(const word *)((const char *)from + count);
        __asm__ volatile("" : : : "memory");
    }
    while (count--) {
        ((char *)to)[count] = ((const char *)from)[count];
        __asm__ volatile("" : : : "memory");
    }
    return to;
}

void *memset(void *to, int byte, size_t count) {
    void *d = to;
    word pattern = (uint8_t)byte * (word)0x0101010101010101u;
    if (count < sizeof(word)) {
        __asm__ volatile("rep stosb" : "+D"(d), "+c"(count) : "a"(pattern) : "memory");
        return to;
    }
    *(word *)((char *)d + count - sizeof(word)) = pattern;
    size_t words = count / sizeof(word);
#ifdef __x86_64__
    size_t blocks = count / 64;
    if (blocks)
        __asm__ volatile("1: movq %2, (%0); movq %2, 8(%0); movq %2, 16(%0); movq %2, 24(%0)\n"
                         "movq %2, 32(%0); movq %2, 40(%0); movq %2, 48(%0); movq %2, 56(%0)\n"
                         "addq $64, %0; decq %1; jnz 1b"
                         : "+r"(d), "+r"(blocks)
                         : "r"(pattern)
                         : "memory", "cc");
    words %= 8;
#endif
    for (; words; words--) {
        *(word *)d = pattern;
        d = (char *)d + sizeof(word);
        __asm__ volatile("" : : : "memory");
    }
    return to;
}

int memcmp(const void *left, const void *right, size_t count) {
    const uint8_t *l = left, *r = right;
    for (size_t i = 0; i < count; i++)
        if (l[i] != r[i])
            return l[i] < r[i] ? -1 : 1;
    return 0;
}
