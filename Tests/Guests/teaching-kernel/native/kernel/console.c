/* The console: the first serial line, polled; no interrupt is needed to write. */
#include "console.h"

#include <stdarg.h>

#include "cpu.h"
#include "text.h"

/* The registers of a 16550 at COM1. */
#define SERIAL 0x3f8u
#define DIVISOR_LOW (SERIAL + 0)
#define DIVISOR_HIGH (SERIAL + 1)
#define INTERRUPT_ENABLE (SERIAL + 1)
#define FIFO_CONTROL (SERIAL + 2)
#define LINE_CONTROL (SERIAL + 3)
#define LINE_STATUS (SERIAL + 5)
#define DIVISOR_ACCESS 0x80u
#define EIGHT_BITS 0x03u
#define CAN_SEND 0x20u

/* The power management of QEMU's PC: sleep type 0, sleep enable. */
#define POWER_CONTROL 0x604u
#define POWER_OFF 0x2000u

#define LINE 256u

void console_start(void)
{
    out8(INTERRUPT_ENABLE, 0);
    out8(LINE_CONTROL, DIVISOR_ACCESS);
    out8(DIVISOR_LOW, 1); /* 115200 baud */
    out8(DIVISOR_HIGH, 0);
    out8(LINE_CONTROL, EIGHT_BITS);
    out8(FIFO_CONTROL, 7);
}

static void put(char character)
{
    while (!(in8(LINE_STATUS) & CAN_SEND)) {
    }
    out8(SERIAL, (uint8_t)character);
}

void console_write(const char *text, size_t size)
{
    uint64_t flags = interrupts_save();

    for (; size; size--, text++) {
        if (*text == '\n')
            put('\r');
        put(*text);
    }
    interrupts_restore(flags);
}

static void print_list(const char *format, va_list arguments)
{
    char line[LINE];

    console_write(line, text_format(line, sizeof(line), format, arguments));
}

void print(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print_list(format, arguments);
    va_end(arguments);
}

void panic(const char *format, ...)
{
    va_list arguments;

    interrupts_disable();
    va_start(arguments, format);
    print("panic: ");
    print_list(format, arguments);
    print("\n");
    va_end(arguments);
    power_off();
}

void power_off(void)
{
    for (;;) {
        out16(POWER_CONTROL, POWER_OFF);
        __asm__ volatile("cli; hlt");
    }
}
