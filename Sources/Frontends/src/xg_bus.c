/*
 * Xenbus. All of a device's moves are in device_step(), which looks at the backend's state and does
 * what is due in the device's own phase. It is called whenever the backend's state may have changed,
 * and any order or merging of changes ends well: nothing depends on seeing each of them.
 *
 * After a fault or a restart the device waits until the backend says that it has let go (closed, or
 * at its start again). Before that the old backend might still carry out requests that are going
 * to be issued again, and a write of before could overwrite one of after.
 */
#include "xg_bus.h"

#include "xg_grant.h"

#define COMMIT_TRIES 16u
#define STEPS 8u
#define FAILURES_MAX 8u /* connections that failed in a row; then the device is left alone */

static struct {
    const struct xg_driver *const *drivers;
    size_t driver_count;
    struct xg_device *devices;
    struct xg_watch watch;
    bool rescan;
} bus;

uint64_t xg_device_offer(struct xg_device *device, const char *key, uint64_t otherwise)
{
    return xg_store_number(device->backend, key, otherwise);
}

bool xg_device_agrees(struct xg_device *device, bool wanted, const char *key)
{
    return wanted && xg_device_offer(device, key, 0) == 1;
}

uint32_t xg_device_queues(struct xg_device *device, uint32_t wanted)
{
    uint64_t offered = xg_device_offer(device, "multi-queue-max-queues", 1);

    if (offered == 0 || wanted == 0)
        return 1;
    return offered < wanted ? (uint32_t)offered : wanted;
}

int xg_device_unpublish(struct xg_device *device, uint32_t transaction, const char *key)
{
    char path[XG_PATH];
    int error = -XEN_E2BIG;

    if (xg_join(path, sizeof(path), device->path, "/", key, (char *)0))
        error = xg_store_remove(transaction, path);
    return error == -XEN_ENOENT ? 0 : error;
}

int xg_device_publish_queues(struct xg_device *device, uint32_t transaction, uint32_t count,
                             int (*one)(struct xg_device *device, uint32_t transaction,
                                        const char *folder, uint32_t index))
{
    char folder[XG_PATH], number[21];
    int error;

    if (count == 1) {
        error = xg_device_unpublish(device, transaction, "multi-queue-num-queues");
        return error ? error : one(device, transaction, device->path, 0);
    }
    error = xg_store_write_number(transaction, device->path, "multi-queue-num-queues", count);
    for (uint32_t i = 0; i < count && !error; i++) {
        xg_print_number(number, i);
        if (!xg_join(folder, sizeof(folder), device->path, "/queue-", number, (char *)0))
            return -XEN_E2BIG;
        error = one(device, transaction, folder, i);
    }
    return error;
}

void xg_device_fault(struct xg_device *device, const char *what)
{
    if (device->fault)
        return;
    device->fault = what;
    device->faults++;
    xg_os_log(what);
    xg_os_wake();
}

/*
 * Writes the state, and the keys with it if `keys`: the backend must not read half of them. All in a
 * transaction that looks for the old state first, since a write to a device that has just been removed
 * would make its directory anew, and nobody would take that away again.
 */
static int state_change(struct xg_device *device, unsigned int state, bool keys)
{
    char path[XG_PATH], old[24];

    if (!xg_join(path, sizeof(path), device->path, "/state", (char *)0))
        return -XEN_E2BIG;
    for (unsigned int attempt = 0; attempt < COMMIT_TRIES; attempt++) {
        uint32_t transaction;
        int error = xg_store_begin(&transaction);
        if (error)
            return error;
        error = xg_store_read(transaction, path, old, sizeof(old));
        if (error >= 0)
            error = keys ? device->driver->publish(device, transaction) : 0;
        if (!error)
            error = xg_store_write_number(transaction, device->path, "state", state);
        if (error) {
            xg_store_abort(transaction);
            return error;
        }
        error = xg_store_commit(transaction);
        if (error != -XEN_EAGAIN)
            return error;
    }
    return -XEN_EAGAIN;
}

static void state_write(struct xg_device *device, unsigned int state)
{
    state_change(device, state, false);
}

static void note_error(struct xg_device *device, const char *what, int error)
{
    char path[XG_PATH], number[21], text[64];

    xg_print_number(number, (uint64_t)(error < 0 ? -error : error));
    if (xg_join(text, sizeof(text), number, " ", what, (char *)0) &&
        xg_join(path, sizeof(path), "error/", device->path, "/error", (char *)0))
        xg_store_write(XG_NO_TRANSACTION, path, text);
    xg_os_log(what);
}

/* Leaves the rings. They are given back when the backend has closed, too. */
static void begin_closing(struct xg_device *device)
{
    device->driver->stop(device);
    device->phase = XG_CLOSING;
    state_write(device, XenbusStateClosing);
}

static void backend_changed(void *context);

static int backend_find(struct xg_device *device)
{
    char path[XG_PATH];
    int result;

    uint64_t id = xg_store_number(device->path, "backend-id", UINT64_MAX);
    if (id >= DOMID_FIRST_RESERVED || !xg_join(path, sizeof(path), device->path, "/backend", (char *)0))
        return -XEN_ENOENT;
    result = xg_store_read(XG_NO_TRANSACTION, path, device->backend, sizeof(device->backend));
    if (result <= 0)
        return result ? result : -XEN_ENOENT;
    device->backend_id = (domid_t)id;
    if (!xg_join(device->watch.path, sizeof(device->watch.path), device->backend, "/state", (char *)0))
        return -XEN_E2BIG;
    device->watch.changed = backend_changed;
    device->watch.context = device;
    return xg_store_watch(&device->watch);
}

static void connect(struct xg_device *device)
{
    int error = device->driver->setup(device);

    if (!error)
        error = state_change(device, device->driver->published_state, true);
    if (!error) {
        device->phase = XG_PUBLISHED;
        return;
    }
    note_error(device, "the device cannot be set up", error);
    device->driver->teardown(device);
    device->phase = XG_CLOSED;
    device->failures++;
    state_write(device, XenbusStateClosed);
}

static void finish_connecting(struct xg_device *device)
{
    int error = device->driver->connected(device);

    if (error) {
        note_error(device, "the backend's properties make no sense", error);
        device->failures++;
        begin_closing(device);
        return;
    }
    device->phase = XG_RUNNING;
    device->connections++;
    device->failures = 0;
    if (device->driver->published_state != XenbusStateConnected)
        state_write(device, XenbusStateConnected);
}

/* One move. Nothing more is to be done for now if the phase stays. */
static void device_move(struct xg_device *device, uint64_t state)
{
    switch (device->phase) {
    case XG_WAITING:
        if (state == XenbusStateInitWait)
            connect(device);
        else if (state == XenbusStateConnected || state == XenbusStateInitialised)
            begin_closing(device); /* connected to whoever was here before: a boot loader, say */
        else if (state == XenbusStateClosing)
            begin_closing(device);
        break;
    case XG_PUBLISHED:
        if (state == XenbusStateConnected)
            finish_connecting(device);
        else if (state != XenbusStateInitWait && state != XenbusStateInitialised)
            begin_closing(device);
        break;
    case XG_RUNNING:
        if (device->fault || state != XenbusStateConnected)
            begin_closing(device);
        break;
    case XG_CLOSING:
        if (state == XenbusStateConnected || state == XenbusStateInitialised)
            break;
        state_write(device, XenbusStateClosed);
        if (state == XenbusStateClosing)
            break;
        device->driver->teardown(device);
        device->fault = 0;
        device->phase = XG_CLOSED;
        break;
    case XG_CLOSED:
        if (device->failures >= FAILURES_MAX ||
            (state != XenbusStateInitWait && state != XenbusStateClosed))
            break;
        if (state == XenbusStateClosed && !xg_device_offer(device, "online", 1))
            break;
        device->phase = XG_WAITING;
        state_write(device, XenbusStateInitialising);
        break;
    }
}

static void device_step(struct xg_device *device)
{
    for (unsigned int step = 0; step < STEPS; step++) {
        enum xg_phase before = device->phase;
        device_move(device, xg_device_offer(device, "state", XenbusStateUnknown));
        if (device->phase == before)
            return;
    }
    xg_store_fire(&device->watch); /* it wanders from state to state: some steps for each poll */
}

static void backend_changed(void *context)
{
    struct xg_device *device = context;

    if (device->phase != XG_RUNNING || device->fault ||
        xg_device_offer(device, "state", XenbusStateUnknown) != XenbusStateConnected)
        device_step(device);
    else if (device->driver->changed)
        device->driver->changed(device);
}

static void device_remove(struct xg_device *device)
{
    for (struct xg_device **link = &bus.devices; *link; link = &(*link)->next) {
        if (*link == device) {
            *link = device->next;
            break;
        }
    }
    xg_store_unwatch(&device->watch);
    device->driver->stop(device);
    device->driver->teardown(device);
    device->driver->removed(device);
}

static void device_add(const struct xg_driver *driver, const char *path, uint64_t id)
{
    struct xg_device *device = driver->create(path);

    if (!device)
        return;
    device->driver = driver;
    device->phase = XG_WAITING;
    device->id = (uint32_t)id;
    xg_join(device->path, sizeof(device->path), path, (char *)0);
    if (backend_find(device)) {
        driver->removed(device);
        return;
    }
    device->next = bus.devices;
    bus.devices = device;
    if (xg_store_number(path, "state", XenbusStateInitialising) != XenbusStateInitialising)
        state_write(device, XenbusStateInitialising);
}

static struct xg_device *device_at(const char *path)
{
    struct xg_device *device = bus.devices;

    while (device && !xg_equal(device->path, path))
        device = device->next;
    return device;
}

/* Whether the toolstack has given a known device to another backend. */
static bool has_moved(struct xg_device *device)
{
    char path[XG_PATH], backend[XG_PATH];

    return xg_join(path, sizeof(path), device->path, "/backend", (char *)0) &&
           xg_store_read(XG_NO_TRANSACTION, path, backend, sizeof(backend)) > 0 &&
           !xg_equal(backend, device->backend);
}

static void scan_type(const struct xg_driver *driver)
{
    static char names[XENSTORE_PAYLOAD_MAX + 1];
    char folder[XG_PATH], path[XG_PATH];
    uint64_t id;

    if (!xg_join(folder, sizeof(folder), "device/", driver->type, (char *)0))
        return;
    int length = xg_store_list(XG_NO_TRANSACTION, folder, names, sizeof(names));
    if (length < 0 && length != -XEN_ENOENT)
        return;
    if (length < 0)
        length = 0;
    for (struct xg_device *device = bus.devices, *next; device; device = next) {
        next = device->next;
        const char *name = names;
        bool found = false;
        while (device->driver == driver && !found && name < names + length) {
            found = xg_join(path, sizeof(path), folder, "/", name, (char *)0) &&
                    xg_equal(path, device->path);
            name += xg_length(name) + 1;
        }
        if (device->driver == driver && !found)
            device_remove(device);
    }
    for (const char *name = names; name < names + length; name += xg_length(name) + 1) {
        if (!xg_parse_number(name, &id) || id > UINT32_MAX ||
            !xg_join(path, sizeof(path), folder, "/", name, (char *)0))
            continue;
        struct xg_device *device = device_at(path);
        if (!device) {
            device_add(driver, path, id);
        } else if (device->phase == XG_CLOSED && has_moved(device)) {
            xg_store_unwatch(&device->watch);
            if (backend_find(device))
                xg_os_log("xenbus: the device's new backend cannot be watched");
        }
    }
}

static void folder_changed(void *context)
{
    (void)context;
    bus.rescan = true;
}

int xg_bus_start(const struct xg_driver *const *drivers, size_t count)
{
    bus.drivers = drivers;
    bus.driver_count = count;
    bus.devices = 0;
    bus.watch = (struct xg_watch){.path = "device", .changed = folder_changed};
    return xg_store_watch(&bus.watch);
}

void xg_bus_poll(void)
{
    xg_store_run_watches();
    if (bus.rescan) {
        bus.rescan = false;
        for (size_t i = 0; i < bus.driver_count; i++)
            scan_type(bus.drivers[i]);
        xg_store_run_watches();
    }
    for (struct xg_device *device = bus.devices; device; device = device->next) {
        if (device->fault && device->phase == XG_RUNNING)
            device_step(device);
        device->driver->poll(device);
    }
    xg_grants_retry();
}

void xg_bus_abandon(void)
{
    for (struct xg_device *device = bus.devices; device; device = device->next) {
        device->driver->stop(device);
        device->driver->teardown(device); /* the table is empty: every grant ends at once */
        device->phase = XG_WAITING;
        device->fault = 0;
    }
}

void xg_bus_resume(void)
{
    bus.rescan = true;
    for (struct xg_device *device = bus.devices; device; device = device->next) {
        xg_store_unwatch(&device->watch);
        if (backend_find(device))
            xg_os_log("xenbus: a device has no backend after the resume");
        state_write(device, XenbusStateInitialising);
    }
}

void xg_bus_stop(void)
{
    xg_store_unwatch(&bus.watch);
    while (bus.devices) {
        state_write(bus.devices, XenbusStateClosed);
        device_remove(bus.devices);
    }
}

struct xg_device *xg_bus_next(const struct xg_driver *driver, struct xg_device *after)
{
    struct xg_device *device = after ? after->next : bus.devices;

    while (device && device->driver != driver)
        device = device->next;
    return device;
}
