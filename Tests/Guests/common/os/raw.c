/* A device's front side without a driver. */
#include "raw.h"

bool raw_find(struct raw_device *device, const char *type)
{
    static char names[XENSTORE_PAYLOAD_MAX + 1];
    char path[XG_PATH];

    *device = (struct raw_device){0};
    if (!xg_join(path, sizeof(path), "device/", type, (char *)0) ||
        xg_store_list(0, path, names, sizeof(names)) <= 0 ||
        !xg_join(device->path, sizeof(device->path), path, "/", names, (char *)0) ||
        !xg_join(path, sizeof(path), device->path, "/backend", (char *)0))
        return false;
    return xg_store_read(0, path, device->backend, sizeof(device->backend)) > 0;
}

void raw_write(struct raw_device *device, const char *key, const char *value)
{
    char path[XG_PATH];

    if (xg_join(path, sizeof(path), device->path, "/", key, (char *)0))
        xg_store_write(0, path, value);
}

void raw_number(struct raw_device *device, const char *key, uint64_t value)
{
    xg_store_write_number(0, device->path, key, value);
}

void raw_state(struct raw_device *device, uint64_t state)
{
    raw_number(device, "state", state);
}

bool raw_await(struct raw_device *device, uint64_t state, uint64_t other)
{
    for (unsigned int i = 0; i < 500; i++) {
        uint64_t now = xg_store_number(device->backend, "state", 0);
        if (now == state || now == other)
            return true;
        raw_pause(10);
    }
    return false;
}

bool raw_begin(struct raw_device *device)
{
    static const char *const keys[] = {"ring-ref",       "ring-ref0",       "ring-page-order",
                                       "num-ring-pages", "event-channel",   "protocol",
                                       "tx-ring-ref",    "rx-ring-ref",     "event-channel-tx",
                                       "event-channel-rx", "multi-queue-num-queues", "queue-0"};
    char path[XG_PATH];

    raw_state(device, XenbusStateClosed);
    if (!raw_await(device, XenbusStateClosed, XenbusStateInitWait))
        return false;
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (xg_join(path, sizeof(path), device->path, "/", keys[i], (char *)0))
            xg_store_remove(0, path);
    }
    raw_state(device, XenbusStateInitialising);
    return raw_await(device, XenbusStateInitWait, XenbusStateInitWait);
}

bool raw_end(struct raw_device *device)
{
    raw_state(device, XenbusStateClosing);
    bool closed = raw_await(device, XenbusStateClosing, XenbusStateClosed);
    raw_state(device, XenbusStateClosed);
    closed &= raw_await(device, XenbusStateClosed, XenbusStateInitWait);
    for (uint32_t i = 0; i < device->page_count; i++)
        xg_grant_end_free(device->pages[i].reference, device->pages[i].page);
    device->page_count = 0;
    xg_event_close(device->port, true);
    device->port = XG_NO_PORT;
    for (unsigned int i = 0; i < 20 && xg_grants_used(); i++) {
        xg_grants_retry();
        if (xg_grants_used())
            raw_pause(20);
    }
    return closed;
}

uint8_t *raw_page(struct raw_device *device, bool read_only, grant_ref_t *reference)
{
    static uint8_t none[XEN_PAGE_SIZE] __attribute__((aligned(XEN_PAGE_SIZE)));
    uint8_t *page = device->page_count < RAW_PAGES ? xg_os_pages(1) : 0;

    *reference = page ? xg_grant(0, page, read_only) : XG_NO_GRANT;
    if (*reference == XG_NO_GRANT)
        return none;
    device->pages[device->page_count].page = page;
    device->pages[device->page_count++].reference = *reference;
    return page;
}

static void count_event(void *context)
{
    ((struct raw_device *)context)->events++;
}

evtchn_port_t raw_port(struct raw_device *device)
{
    if (device->port == XG_NO_PORT)
        xg_event_open(0, count_event, device, &device->port);
    return device->port;
}

void raw_pause(uint64_t milliseconds)
{
    uint64_t deadline = system_time() + milliseconds * MILLISECONDS;

    while (system_time() < deadline)
        xg_os_wait(deadline);
}

uint64_t raw_random(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15ull;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

void raw_scribble(void *at, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((volatile uint8_t *)at)[i] = (uint8_t)(raw_random() >> 32);
}
