/* Text out of and into xenstore. What a backend wrote is parsed here: nothing is assumed of it. */
#include "xg_text.h"

#include <stdarg.h>

size_t xg_length(const char *text)
{
    size_t length = 0;
    while (text[length])
        length++;
    return length;
}

bool xg_equal(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return *a == *b;
}

bool xg_begins(const char *text, const char *start)
{
    while (*start && *text == *start) {
        text++;
        start++;
    }
    return !*start;
}

bool xg_join(char *buffer, size_t size, ...)
{
    va_list texts;
    size_t used = 0;
    bool fits = true;

    va_start(texts, size);
    for (const char *text = va_arg(texts, const char *); text; text = va_arg(texts, const char *)) {
        for (; *text && fits; text++) {
            if (used + 1 < size)
                buffer[used++] = *text;
            else
                fits = false;
        }
    }
    va_end(texts);
    buffer[fits ? used : 0] = 0;
    return fits;
}

void xg_print_number(char *buffer, uint64_t value)
{
    char digits[20];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    while (count)
        *buffer++ = digits[--count];
    *buffer = 0;
}

bool xg_parse_number(const char *text, uint64_t *value)
{
    uint64_t sum = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9')
            return false;
        uint64_t digit = (uint64_t)(*text - '0');
        if (sum > (UINT64_MAX - digit) / 10)
            return false;
        sum = sum * 10 + digit;
    }
    *value = sum;
    return true;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

bool xg_parse_mac(const char *text, uint8_t mac[6])
{
    uint8_t bytes[6];

    if (xg_length(text) != 17)
        return false;
    for (int i = 0; i < 6; i++, text += 3) {
        int high = digit_of(text[0]), low = digit_of(text[1]);
        if (high < 0 || low < 0 || (i < 5 && text[2] != ':'))
            return false;
        bytes[i] = (uint8_t)(high * 16 + low);
    }
    __builtin_memcpy(mac, bytes, 6);
    return true;
}
