/*
 * Two consoles. console_io prints to the hypervisor's own, which is that of domain 0; of other
 * domains a release build of Xen drops it. They have a ring in a page shared with a daemon, if there
 * is one; otherwise the hypervisor's has to do:
 *
 *     out[]:  ....xxxxxxx....      x: printed and not yet read by the daemon
 *                 ^cons  ^prod     indexes run freely and are masked when used
 */
#include "console.h"

#include <stdbool.h>
#include <stdint.h>

#include "clock.h"
#include "domain.h"
#include "pages.h"

static struct xencons_interface *ring;
static evtchn_port_t ring_port;

static void notify(void)
{
    struct evtchn_send send = {.port = ring_port};
    HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
}

/* Sleeps until the daemon has read something, but not for ever: it may be gone. */
static bool wait_for_daemon(XENCONS_RING_IDX seen)
{
    uint64_t deadline = clock_now() + SECOND / 2;
    struct sched_poll poll = {.ports = &ring_port, .nr_ports = 1, .timeout = deadline};

    notify();
    while (__atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE) == seen) {
        if (clock_now() >= deadline)
            return false;
        __atomic_fetch_and(&shared_info->evtchn_pending[ring_port / XEN_EVTCHN_WORDS],
                           ~(1ul << ring_port % XEN_EVTCHN_WORDS),
                           __ATOMIC_SEQ_CST);
        HYPERVISOR_sched_op(SCHEDOP_poll, &poll, 0);
    }
    return true;
}

static bool ring_write(const char *text, size_t length)
{
    while (length) {
        XENCONS_RING_IDX read = __atomic_load_n(&ring->out_cons, __ATOMIC_ACQUIRE);
        XENCONS_RING_IDX written = ring->out_prod;
        /* Unsigned: a daemon that writes nonsense makes the ring look full, not larger. */
        if (written - read >= sizeof(ring->out)) {
            if (!wait_for_daemon(read))
                return false;
            continue;
        }
        ring->out[written & (sizeof(ring->out) - 1)] = *text++;
        length--;
        __atomic_store_n(&ring->out_prod, written + 1, __ATOMIC_RELEASE);
    }
    notify();
    return true;
}

void console_start(void)
{
    if (start_info->flags & SIF_INITDOMAIN || !start_info->console.domU.mfn)
        return;
    ring = page_of_frame(start_info->console.domU.mfn);
    ring_port = start_info->console.domU.evtchn;
    /* Shows nothing, but shows whether there is a daemon. */
    XENCONS_RING_IDX read = ring->out_cons;
    if (!ring_write("\r", 1) || !wait_for_daemon(read))
        ring = 0;
}

static void write(const char *text, size_t length)
{
    if (ring && ring_write(text, length))
        return;
    ring = 0;
    HYPERVISOR_console_io(CONSOLEIO_write, (uint32_t)length, (char *)(uintptr_t)text);
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
