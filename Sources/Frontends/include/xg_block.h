/*
 * Disks. A request is handed in and comes back through its `done`; it survives the backend's end
 * and return in between. Data is copied through pages of the driver's own, so that a backend never
 * sees or changes what stands beside it, and a page that a backend does not let go of is none of
 * the caller's.
 */
#ifndef XG_BLOCK_H
#define XG_BLOCK_H

#include "xg_bus.h"

#define XG_SECTOR 512u

enum xg_block_operation {
    XG_BLOCK_READ,
    XG_BLOCK_WRITE,
    XG_BLOCK_WRITE_BARRIER, /* after all before it, before all after it; may have no data */
    XG_BLOCK_FLUSH,         /* what has been answered becomes durable */
    XG_BLOCK_DISCARD,
    XG_BLOCK_DISCARD_SECURE,
};

/* Belongs to the caller, who leaves it alone from xg_block_submit until `done`. */
struct xg_block_request {
    enum xg_block_operation operation;
    uint64_t sector, count; /* of 512 bytes */
    void *data;
    /* Event or driver context. May submit again. */
    void (*done)(struct xg_block_request *request);
    void *context;
    int result; /* 0, or a negative XEN_E number */
    /* Private: */
    struct xg_block_request *next;
    uint64_t issued, left;
};

/* What to ask for; what the backend does not offer is left out. */
struct xg_block_options {
    bool flush, barrier, discard, persistent;
    uint32_t indirect_segments; /* of 4 KiB in a request, up to 512; 0: plain requests of 11 */
    uint32_t ring_order;        /* binary logarithm of the pages of a ring, up to 4 */
    uint32_t queues;            /* up to 8 */
    uint32_t pool_pages;        /* for data under way */
    uint32_t tries;             /* of a request over faults of the backend, before it fails */
    uint64_t request_timeout;   /* nanoseconds until an answer counts as lost */
    uint64_t reconnect_timeout; /* nanoseconds that requests wait for a backend to return */
};

struct xg_block {
    struct xg_device device;
    struct xg_block_options options; /* changes show at the next connection */
    /* Of the present connection: */
    uint64_t sectors;
    bool read_only, removable, cdrom;
    bool flush, barrier, discard, discard_secure, persistent;
    uint32_t discard_granularity, discard_alignment; /* bytes */
    uint32_t segments_max, ring_order, queue_count;
    struct xg_block_private *own;
};

extern const struct xg_driver xg_block_driver;
/* For devices found from now on. */
extern struct xg_block_options xg_block_defaults;
/* A disk can be used, first and after each reconnection; one that was ready before is about to be
 * freed. May be 0. */
extern void (*xg_block_ready)(struct xg_block *block);
extern void (*xg_block_gone)(struct xg_block *block);

/* 0: `done` will be called, perhaps has been. Negative: it was refused, and `done` is not called.
 * Any context. */
int xg_block_submit(struct xg_block *block, struct xg_block_request *request);
/* Submits and waits. Driver context. */
int xg_block_wait(struct xg_block *block, struct xg_block_request *request);

#endif /* XG_BLOCK_H */
