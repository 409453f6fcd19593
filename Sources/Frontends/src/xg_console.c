/*
 * The console. Writing needs no event to come, so that it works early and in a panic. An index that
 * cannot be ends the use of the page: whoever writes such a thing could name any place next.
 */
#include "xg_console.h"

#include "xg_event.h"

static struct {
    struct xencons_interface *page;
    struct xenabi_stream stream;
    evtchn_port_t port;
    bool broken;
    void (*input)(void *context);
    void *context;
} console;

static void console_event(void *context)
{
    (void)context;
    if (console.input && !console.broken)
        console.input(console.context);
}

static int connect(void)
{
    struct xg_start start = {0};

    xg_os_start(&start);
    if (!start.console_frame)
        return -XEN_ENODEV; /* domain 0 has none */
    console.page = xg_os_map(&start.console_frame, 1);
    if (!console.page)
        return -XEN_ENOMEM;
    console.broken =
        xencons_interface_begin_guest(&console.stream, console.page) == XENABI_RING_BROKEN;
    if (console.broken)
        return -XEN_EIO;
    console.port = start.console_port;
    return xg_event_attach(console.port, console_event, 0);
}

int xg_console_start(void (*input)(void *context), void *context)
{
    console.input = input;
    console.context = context;
    return connect();
}

int xg_console_resume(void)
{
    return connect();
}

/* Tells the daemon after bytes moved, and gives up for good if it lies. */
static int moved(int32_t count)
{
    if (count < 0) {
        console.broken = true;
        return -XEN_EIO;
    }
    if (count > 0)
        xg_event_send(console.port);
    return count;
}

int xg_console_write(const char *data, size_t length)
{
    uint32_t size = (uint32_t)sizeof(console.page->out);

    if (!console.page || console.broken)
        return -XEN_EIO;
    return moved(
        xenabi_stream_write(&console.stream, data, length < size ? (uint32_t)length : size));
}

int xg_console_write_all(const char *data, size_t length, uint64_t deadline)
{
    while (length) {
        int count = xg_console_write(data, length);
        if (count < 0)
            return count;
        data += count;
        length -= (size_t)count;
        if (length && xg_os_time() >= deadline)
            return -XEN_ETIMEDOUT;
        if (length)
            xg_os_wait(deadline);
    }
    return 0;
}

int xg_console_read(char *data, size_t size)
{
    uint32_t most = (uint32_t)sizeof(console.page->in);

    if (!console.page || console.broken)
        return -XEN_EIO;
    return moved(xenabi_stream_read(&console.stream, data, size < most ? (uint32_t)size : most));
}
