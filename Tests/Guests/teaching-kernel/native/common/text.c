/* Memory and text. */
#include "text.h"

#include <stdbool.h>
#include <stdint.h>

/* In assembly, because a compiler turns loops like these into calls of them. */

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *result = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return result;
}

void *memmove(void *to, const void *from, size_t size)
{
    if ((uintptr_t)to - (uintptr_t)from >= size)
        return memcpy(to, from, size);
    uint8_t *last_to = (uint8_t *)to + size - 1;
    const uint8_t *last_from = (const uint8_t *)from + size - 1;
    __asm__ volatile("std; rep movsb; cld"
                     : "+D"(last_to), "+S"(last_from), "+c"(size)
                     :
                     : "memory");
    return to;
}

void *memset(void *memory, int value, size_t size)
{
    void *result = memory;
    __asm__ volatile("rep stosb" : "+D"(memory), "+c"(size) : "a"(value) : "memory");
    return result;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const uint8_t *left = a, *right = b;
    for (; size; size--, left++, right++) {
        if (*left != *right)
            return *left < *right ? -1 : 1;
    }
    return 0;
}

size_t text_length(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

int text_equal(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

struct output {
    char *buffer;
    size_t size, length;
};

static void put(struct output *output, char character)
{
    if (output->length + 1 < output->size)
        output->buffer[output->length++] = character;
}

static void put_number(struct output *output, uint64_t value, unsigned int base)
{
    char digits[20];
    unsigned int count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (count)
        put(output, digits[--count]);
}

static void put_signed(struct output *output, int64_t value)
{
    if (value < 0)
        put(output, '-');
    put_number(output, value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
}

size_t text_format(char *buffer, size_t size, const char *format, va_list arguments)
{
    struct output output = {buffer, size, 0};

    for (; *format; format++) {
        if (*format != '%') {
            put(&output, *format);
            continue;
        }
        format++;
        bool is_long = *format == 'l';
        if (is_long)
            format++;
        switch (*format) {
        case 's':
            for (const char *text = va_arg(arguments, const char *); *text; text++)
                put(&output, *text);
            break;
        case 'c':
            put(&output, (char)va_arg(arguments, int));
            break;
        case 'd':
            put_signed(&output, is_long ? va_arg(arguments, long) : va_arg(arguments, int));
            break;
        case 'u':
        case 'x':
            put_number(&output,
                       is_long ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned int),
                       *format == 'x' ? 16 : 10);
            break;
        default:
            put(&output, *format ? *format : '?');
            if (!*format)
                format--;
        }
    }
    if (size)
        buffer[output.length] = 0;
    return output.length;
}
