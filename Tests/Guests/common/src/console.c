/* Formatted printing. Text gathers in one buffer until its line ends. */
#include "console.h"

#include <stdbool.h>
#include <stdint.h>

#include "report.h"
#include "text.h"
#include "traps.h"
#include "xenabi.h"

static char line[512];
static unsigned int filled;

static void flush(void)
{
    HYPERVISOR_console_io(CONSOLEIO_write, filled, line);
    filled = 0;
}

static void put(char character)
{
    line[filled++] = character;
    if (character == '\n' || filled == sizeof(line))
        flush();
}

static void put_padded(const char *text, size_t length, int width, bool left, char fill)
{
    int pad = width - (int)length;
    for (; !left && pad > 0; pad--)
        put(fill);
    for (size_t i = 0; i < length; i++)
        put(text[i]);
    for (; left && pad > 0; pad--)
        put(' ');
}

/* Writes the digits to the end of a buffer and returns the first. */
static char *digits(uint64_t value, unsigned int base, char *end)
{
    do {
        *--end = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    return end;
}

void vprint(const char *format, va_list arguments)
{
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        bool left = false, wide = false;
        char fill = ' ';
        int width = 0;
        format++;
        for (; *format == '-' || *format == '0'; format++) {
            if (*format == '-')
                left = true;
            else
                fill = '0';
        }
        for (; *format >= '0' && *format <= '9'; format++)
            width = width * 10 + *format - '0';
        for (; *format == 'l'; format++)
            wide = true;

        char buffer[32], *end = buffer + sizeof(buffer), *first = end;
        switch (*format) {
        case 'c':
            *--first = (char)va_arg(arguments, int);
            break;
        case 'd': {
            int64_t value = wide ? va_arg(arguments, int64_t) : va_arg(arguments, int);
            first = digits(value < 0 ? -(uint64_t)value : (uint64_t)value, 10, end);
            if (value < 0)
                *--first = '-';
            break;
        }
        case 'u':
            first = digits(wide ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned int), 10,
                           end);
            break;
        case 'x':
            first = digits(wide ? va_arg(arguments, uint64_t) : va_arg(arguments, unsigned int), 16,
                           end);
            break;
        case 'p':
            first = digits(va_arg(arguments, uintptr_t), 16, end);
            *--first = 'x';
            *--first = '0';
            break;
        case 's': {
            const char *text = va_arg(arguments, const char *);
            put_padded(text, strlen(text), width, left, ' ');
            continue;
        }
        case 'E': {
            const char *name = result_name(va_arg(arguments, long));
            put_padded(name, strlen(name), width, left, ' ');
            continue;
        }
        case 'F': {
            const char *name = fault_name(va_arg(arguments, fault_t));
            put_padded(name, strlen(name), width, left, ' ');
            continue;
        }
        case '%':
            *--first = '%';
            break;
        default:
            put('%');
            put(*format);
            continue;
        }
        put_padded(first, (size_t)(end - first), width, left, fill);
    }
}

void print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vprint(format, arguments);
    va_end(arguments);
}
