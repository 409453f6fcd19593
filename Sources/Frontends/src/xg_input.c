/*
 * Keyboard and pointer: a page with one ring of events from the backend. The number of slots is no
 * power of two, so the place is a remainder.
 */
#include "xg_input.h"

#include "xg_event.h"
#include "xg_shared.h"

struct xg_input_private {
    struct xg_page page;
    evtchn_port_t port;
    uint32_t consumed;
    bool usable;
};

struct whole {
    struct xg_input input;
    struct xg_input_private own;
};

bool xg_input_want_absolute;
void (*xg_input_ready)(struct xg_input *input);
void (*xg_input_gone)(struct xg_input *input);

static bool known(uint8_t type)
{
    return type == XENKBD_TYPE_MOTION || type == XENKBD_TYPE_KEY || type == XENKBD_TYPE_POS ||
           type == XENKBD_TYPE_MTOUCH;
}

/* Event context. At most a full ring is taken at a time. */
static void input_event(void *context)
{
    struct xg_input *input = context;
    struct xg_input_private *own = input->own;
    struct xenkbd_page *page = (struct xenkbd_page *)(void *)own->page.page;

    if (!own->usable)
        return;
    uint32_t ready = xenabi_load_acquire(&page->in_prod) - own->consumed;
    if (ready > XENKBD_IN_RING_LEN) {
        own->usable = false;
        xg_device_fault(&input->device, "input: impossible index of events");
        return;
    }
    while (ready--) {
        union xenkbd_in_event event;
        uint32_t slot = own->consumed++ % XENKBD_IN_RING_LEN;
        xenabi_copy(&event, own->page.page + XENKBD_IN_RING_OFFS + slot * sizeof(event),
                    sizeof(event));
        if (known(event.type) && input->event)
            input->event(input, &event);
    }
    xenabi_full_barrier();
    xenabi_store_release(&page->in_cons, own->consumed);
    if (xenabi_load_acquire(&page->in_prod) != own->consumed)
        xg_os_wake();
}

static struct xg_device *input_create(const char *path)
{
    struct whole *whole = xg_os_alloc(sizeof(*whole));

    (void)path;
    if (!whole)
        return 0;
    whole->input.own = &whole->own;
    return &whole->input.device;
}

static int input_setup(struct xg_device *device)
{
    struct xg_input *input = (struct xg_input *)(void *)device;
    struct xg_input_private *own = input->own;
    int error = xg_pages_open(&own->page, 1, device->backend_id, false);

    own->consumed = 0;
    input->absolute =
        xg_device_agrees(device, xg_input_want_absolute, XENKBD_FIELD_FEAT_ABS_POINTER);
    return error ? error : xg_event_open(device->backend_id, input_event, input, &own->port);
}

static int input_publish(struct xg_device *device, uint32_t transaction)
{
    struct xg_input *input = (struct xg_input *)(void *)device;
    const struct xg_key keys[] = {
        {XENKBD_FIELD_RING_GREF, input->own->page.reference},
        {XENKBD_FIELD_RING_REF, xg_os_frame(input->own->page.page)},
        {XENKBD_FIELD_EVT_CHANNEL, input->own->port},
        {XENKBD_FIELD_REQ_ABS_POINTER, input->absolute},
    };
    return xg_store_write_keys(transaction, device->path, keys, sizeof(keys) / sizeof(keys[0]));
}

static int input_connected(struct xg_device *device)
{
    struct xg_input *input = (struct xg_input *)(void *)device;

    input->own->usable = true;
    if (xg_input_ready)
        xg_input_ready(input);
    input_event(input);
    return 0;
}

static void input_stop(struct xg_device *device)
{
    ((struct xg_input *)(void *)device)->own->usable = false;
}

static void input_teardown(struct xg_device *device)
{
    struct xg_input_private *own = ((struct xg_input *)(void *)device)->own;

    xg_event_close(own->port, true);
    own->port = XG_NO_PORT;
    xg_pages_close(&own->page, 1);
}

static void input_removed(struct xg_device *device)
{
    if (xg_input_gone && device->connections)
        xg_input_gone((struct xg_input *)(void *)device);
    xg_os_free(device, sizeof(struct whole));
}

static void input_poll(struct xg_device *device)
{
    input_event(device); /* in case an event got lost */
}

const struct xg_driver xg_input_driver = {
    .type = XENKBD_DRIVER_NAME,
    .published_state = XenbusStateInitialised,
    .create = input_create,
    .setup = input_setup,
    .publish = input_publish,
    .connected = input_connected,
    .stop = input_stop,
    .teardown = input_teardown,
    .removed = input_removed,
    .poll = input_poll,
};
