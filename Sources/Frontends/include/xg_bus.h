/*
 * Xenbus: finds devices, takes each through its states with the backend, and again when the
 * backend goes and comes back.
 *
 *             backend 2               backend 4
 *   WAITING ------------> PUBLISHED ------------> RUNNING
 *      ^  setup, publish              connected     |  backend 5, 6, gone, restarted; or a fault
 *      |                                            v
 *      '-- CLOSED <--- backend 6, 2 or gone --- CLOSING      stop, then teardown
 *            |  backend's `online` is 0, or the device's directory is gone
 *            '--> removed
 */
#ifndef XG_BUS_H
#define XG_BUS_H

#include "xg_store.h"

enum xg_phase { XG_WAITING, XG_PUBLISHED, XG_RUNNING, XG_CLOSING, XG_CLOSED };

struct xg_device;

/* A kind of device. All calls come in driver context. */
struct xg_driver {
    const char *type; /* "vbd" */
    /* The state that goes out with the keys: XenbusStateInitialised, or Connected for networks. */
    unsigned int published_state;
    /* Private memory with a struct xg_device at its start, or 0 to leave the device alone. */
    struct xg_device *(*create)(const char *path);
    /* Backend is ready: reads what it offers, makes rings and ports. */
    int (*setup)(struct xg_device *device);
    /* Writes the keys, within a transaction; may be called several times. */
    int (*publish)(struct xg_device *device, uint32_t transaction);
    /* Backend is connected: reads properties; requests may go from now on. */
    int (*connected)(struct xg_device *device);
    /* Backend's state key was written again while running: properties may have changed. May be 0. */
    void (*changed)(struct xg_device *device);
    /* Rings are not to be touched any more; what was under way is kept. */
    void (*stop)(struct xg_device *device);
    /* Ends ports and grants, whatever of them exists. */
    void (*teardown)(struct xg_device *device);
    /* Never comes back: ends what waits with errors, and frees the device. After teardown. */
    void (*removed)(struct xg_device *device);
    /* At each xg_bus_poll: time-outs, and what an event left undone. */
    void (*poll)(struct xg_device *device);
};

struct xg_device {
    const struct xg_driver *driver;
    char path[XG_PATH];    /* device/vbd/51712 */
    char backend[XG_PATH]; /* /local/domain/0/backend/vbd/3/51712 */
    domid_t backend_id;
    uint32_t id;
    enum xg_phase phase;
    const char *fault; /* what the backend did wrong; 0: nothing */
    uint32_t faults, connections; /* so far */
    /* Private: */
    uint32_t failures; /* connections that failed in a row */
    struct xg_watch watch;
    struct xg_device *next;
};

/* Watches for devices of these kinds; the array stays in place. */
int xg_bus_start(const struct xg_driver *const *drivers, size_t count);
/* Does what is due: watches, states, time-outs, grants that came back. To be called after each
 * xg_os_wait, and once a second at the least. */
void xg_bus_poll(void);
/* After a resume: takes down what every device had, before any port is opened anew; and when
 * xenstore is there again, lets each device connect. */
void xg_bus_abandon(void);
void xg_bus_resume(void);
/* Takes all devices out, as before a kexec. */
void xg_bus_stop(void);
/* The first device of a kind, or that after `after`; 0: none. */
struct xg_device *xg_bus_next(const struct xg_driver *driver, struct xg_device *after);

/* For drivers: the backend broke the protocol; the device is closed and connected anew. Any
 * context. */
void xg_device_fault(struct xg_device *device, const char *what);
/* A key of the backend as a number. */
uint64_t xg_device_offer(struct xg_device *device, const char *key, uint64_t otherwise);
/* Whether a feature is wanted here and offered there. */
bool xg_device_agrees(struct xg_device *device, bool wanted, const char *key);
/* How many queues both sides can have. */
uint32_t xg_device_queues(struct xg_device *device, uint32_t wanted);
/* Takes away a key that an earlier connection may have left. */
int xg_device_unpublish(struct xg_device *device, uint32_t transaction, const char *key);
/* Writes the keys of each queue where they belong: a single queue's stand in the device's folder. */
int xg_device_publish_queues(struct xg_device *device, uint32_t transaction, uint32_t count,
                             int (*one)(struct xg_device *device, uint32_t transaction,
                                        const char *folder, uint32_t index));

#endif /* XG_BUS_H */
