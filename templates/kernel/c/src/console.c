/*
 * Two consoles. console_io prints to the hypervisor's own, which is that of domain 0; of other
 * domains a release build of Xen drops it. They have a ring in a page shared with a daemon:
 *
 *     out[]:  ....xxxxxxx....      x: printed and not yet read by the daemon
 *                 ^cons  ^prod     indexes run freely and are masked when used
 */
#include "console.h"

#include <stdbool.h>
#include <stdint.h>

#include "domain.h"
#include "pages.h"

static struct xencons_interface *ring;
static evtchn_port_t ring_port;

void console_start(void)
{
    if (start_info->flags & SIF_INITDOMAIN || !start_info->console.domU.mfn)
        return;
    ring = page_of_frame(start_info->console.domU.mfn);
    ring_port = start_info->console.domU.evtchn;
}

static void notify(void)
{
    struct evtchn_send send = {.port = ring_port};
    HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
}

/* Waits a while for a daemon that is behind, not for ever for one that is gone. */
static void ring_write(const char *text, size_t length)
{
    unsigned int patience = 1000;
    while (length && patience) {
        XENCONS_RING_IDX read = __atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE);
        XENCONS_RING_IDX written = ring->out_prod;
        /* Unsigned: a daemon that writes nonsense makes the ring look full, not larger. */
        if (written - read >= sizeof(ring->out)) {
            notify();
            HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
            patience--;
            continue;
        }
        ring->out[written & (sizeof(ring->out) - 1)] = *text++;
        length--;
        __atomic_store_n(&ring->out_prod, written + 1, __ATOMIC_RELEASE);
    }
    notify();
}

static void write(const char *text, size_t length)
{
    HYPERVISOR_console_io(CONSOLEIO_write, (uint32_t)length, (char *)(uintptr_t)text);
    if (ring)
        ring_write(text, length);
}

/* Text gathers here, because a hypercall for each character would be slow. */
static char line[256];
static size_t filled;

static void put(char character)
{
    if (character == '\n' && ring)
        line[filled++] = '\r';
    line[filled++] = character;
    if (character == '\n' || filled + 2 > sizeof(line)) {
        write(line, filled);
        filled = 0;
    }
}

static void put_number(uint64_t value, unsigned int base)
{
    char digits[20];
    unsigned int count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (count)
        put(digits[--count]);
}

static void put_signed(int64_t value)
{
    if (value < 0)
        put('-');
    put_number(value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
}

void print_list(const char *format, va_list arguments)
{
    for (; *format; format++) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        format++;
        bool is_long = *format == 'l';
        if (is_long)
            format++;
        switch (*format) {
        case 's':
            for (const char *text = va_arg(arguments, const char *); *text; text++)
                put(*text);
            break;
        case 'c':
            put((char)va_arg(arguments, int));
            break;
        case 'd':
            put_signed(is_long ? va_arg(arguments, long) : va_arg(arguments, int));
            break;
        case 'u':
        case 'x':
            put_number(is_long ? va_arg(arguments, unsigned long) : va_arg(arguments, unsigned int),
                       *format == 'x' ? 16 : 10);
            break;
        case 'p':
            put('0');
            put('x');
            put_number((uintptr_t)va_arg(arguments, void *), 16);
            break;
        case '%':
            put('%');
            break;
        case 0:
            return;
        default:
            put('?');
        }
    }
}

void print(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print_list(format, arguments);
    va_end(arguments);
}
