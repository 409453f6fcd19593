/*
 * The frame buffer. One page describes it and has a ring of events each way; a directory of frame
 * numbers leads to the pixels. This device is older than grants: pages are named by frame, and only
 * a privileged backend can map them. So a backend that is gone leaves nothing to end.
 */
#include "xg_screen.h"

#include "xg_event.h"

#define NUMBERS_PER_PAGE (XEN_PAGE_SIZE / sizeof(unsigned long))
#define DIRECTORY_MAX 256u

struct xg_screen_private {
    struct xenfb_page *page;
    unsigned long *directory;
    uint32_t directory_pages, pixel_pages;
    evtchn_port_t port;
    uint32_t consumed, produced;
    bool usable;
};

struct whole {
    struct xg_screen screen;
    struct xg_screen_private own;
};

struct xg_screen_size xg_screen_default_size = {800, 600, 32};
void (*xg_screen_ready)(struct xg_screen *screen);
void (*xg_screen_gone)(struct xg_screen *screen);

static void screen_removed(struct xg_device *device)
{
    struct xg_screen *screen = (struct xg_screen *)(void *)device;
    struct xg_screen_private *own = screen->own;

    if (xg_screen_gone && device->connections)
        xg_screen_gone(screen);
    if (own->page)
        xg_os_free_pages(own->page, 1);
    if (own->directory)
        xg_os_free_pages(own->directory, own->directory_pages);
    if (screen->pixels)
        xg_os_free_pages(screen->pixels, own->pixel_pages);
    xg_os_free(device, sizeof(struct whole));
}

static struct xg_device *screen_create(const char *path)
{
    struct whole *whole = xg_os_alloc(sizeof(*whole));
    struct xg_screen_size size = xg_screen_default_size;

    (void)path;
    if (!whole)
        return 0;
    struct xg_screen *screen = &whole->screen;
    struct xg_screen_private *own = screen->own = &whole->own;
    screen->width = size.width;
    screen->height = size.height;
    screen->depth = size.depth;
    screen->line_length = size.width * (size.depth / 8);
    screen->size = screen->line_length * size.height;
    own->pixel_pages = (screen->size + XEN_PAGE_SIZE - 1) / XEN_PAGE_SIZE;
    own->directory_pages =
        (own->pixel_pages + (uint32_t)NUMBERS_PER_PAGE - 1) / (uint32_t)NUMBERS_PER_PAGE;
    if (own->directory_pages <= DIRECTORY_MAX) {
        screen->pixels = xg_os_pages(own->pixel_pages);
        own->directory = xg_os_pages(own->directory_pages);
        own->page = xg_os_pages(1);
    }
    if (!screen->pixels || !own->directory || !own->page) {
        screen_removed(&screen->device);
        return 0;
    }
    return &screen->device;
}

/* Event context. Takes a full ring at most. */
static void screen_event(void *context)
{
    struct xg_screen *screen = context;
    struct xg_screen_private *own = screen->own;

    if (!own->usable)
        return;
    uint32_t ready = xenabi_load_acquire(&own->page->in_prod) - own->consumed;
    if (ready > XENFB_IN_RING_LEN) {
        own->usable = false;
        xg_device_fault(&screen->device, "screen: impossible index of events");
        return;
    }
    while (ready--) {
        union xenfb_in_event event;
        uint32_t slot = own->consumed++ % XENFB_IN_RING_LEN;
        xenabi_copy(&event,
                    (const uint8_t *)own->page + XENFB_IN_RING_OFFS + slot * sizeof(event),
                    sizeof(event));
        if (event.type == XENFB_TYPE_REFRESH_PERIOD)
            screen->refresh_period = event.refresh_period.period;
    }
    xenabi_full_barrier();
    xenabi_store_release(&own->page->in_cons, own->consumed);
}

int xg_screen_update(struct xg_screen *screen, uint32_t x, uint32_t y, uint32_t width,
                     uint32_t height)
{
    struct xg_screen_private *own = screen->own;

    if (!own->usable)
        return -XEN_ENOTCONN;
    if (!screen->updates)
        return 0;
    if (x > screen->width || width > screen->width - x || y > screen->height ||
        height > screen->height - y)
        return -XEN_EINVAL;
    uint32_t waiting = own->produced - xenabi_load_acquire(&own->page->out_cons);
    if (waiting > XENFB_OUT_RING_LEN) {
        own->usable = false;
        xg_device_fault(&screen->device, "screen: impossible index of updates");
        return -XEN_EIO;
    }
    if (waiting == XENFB_OUT_RING_LEN)
        return -XEN_EAGAIN;
    union xenfb_out_event event = {.pad = {0}};
    event.update = (struct xenfb_update){.type = XENFB_TYPE_UPDATE, .x = (int32_t)x,
                                         .y = (int32_t)y, .width = (int32_t)width,
                                         .height = (int32_t)height};
    xenabi_full_barrier(); /* the slot has been read before it is written */
    xenabi_copy((uint8_t *)own->page + XENFB_OUT_RING_OFFS +
                    own->produced % XENFB_OUT_RING_LEN * sizeof(event),
                &event, sizeof(event));
    xenabi_store_release(&own->page->out_prod, ++own->produced);
    xg_event_send(own->port);
    return 0;
}

static int screen_setup(struct xg_device *device)
{
    struct xg_screen *screen = (struct xg_screen *)(void *)device;
    struct xg_screen_private *own = screen->own;
    const uint8_t *directory = (const uint8_t *)own->directory;

    __builtin_memset(own->page, 0, XEN_PAGE_SIZE);
    own->consumed = own->produced = 0;
    own->page->width = (int32_t)screen->width;
    own->page->height = (int32_t)screen->height;
    own->page->line_length = screen->line_length;
    own->page->mem_length = own->pixel_pages * XEN_PAGE_SIZE;
    own->page->depth = (uint8_t)screen->depth;
    for (uint32_t i = 0; i < own->pixel_pages; i++)
        own->directory[i] = (unsigned long)xg_os_frame(screen->pixels + i * XEN_PAGE_SIZE);
    for (uint32_t i = 0; i < own->directory_pages; i++)
        own->page->pd[i] = (unsigned long)xg_os_frame(directory + i * XEN_PAGE_SIZE);
    return xg_event_open(device->backend_id, screen_event, screen, &own->port);
}

static int screen_publish(struct xg_device *device, uint32_t transaction)
{
    struct xg_screen_private *own = ((struct xg_screen *)(void *)device)->own;
    const struct xg_key keys[] = {
        {"page-ref", xg_os_frame(own->page)},
        {"event-channel", own->port},
        {"feature-update", 1},
    };
    char path[XG_PATH];
    int error = xg_store_write_keys(transaction, device->path, keys, 3);

    if (!error && xg_join(path, sizeof(path), device->path, "/protocol", (char *)0))
        error = xg_store_write(transaction, path, XEN_IO_PROTO_ABI_NATIVE);
    return error;
}

static int screen_connected(struct xg_device *device)
{
    struct xg_screen *screen = (struct xg_screen *)(void *)device;

    screen->updates = xg_device_agrees(device, true, "request-update");
    screen->own->usable = true;
    if (xg_screen_ready)
        xg_screen_ready(screen);
    return 0;
}

static void screen_stop(struct xg_device *device)
{
    ((struct xg_screen *)(void *)device)->own->usable = false;
}

static void screen_teardown(struct xg_device *device)
{
    struct xg_screen_private *own = ((struct xg_screen *)(void *)device)->own;

    xg_event_close(own->port, true);
    own->port = XG_NO_PORT;
}

static void screen_poll(struct xg_device *device)
{
    screen_event(device); /* in case an event got lost */
}

const struct xg_driver xg_screen_driver = {
    .type = "vfb",
    .published_state = XenbusStateInitialised,
    .create = screen_create,
    .setup = screen_setup,
    .publish = screen_publish,
    .connected = screen_connected,
    .stop = screen_stop,
    .teardown = screen_teardown,
    .removed = screen_removed,
    .poll = screen_poll,
};
