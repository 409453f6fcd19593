/* Memory that a backend shares: the pages of a ring, and pages for data. */
#ifndef XG_SHARED_H
#define XG_SHARED_H

#include "xg_event.h"
#include "xg_grant.h"

#define XG_RING_ORDER_MAX 4u

/* A ring of 2^order pages, granted. All zero: there is none. */
struct xg_ring {
    struct xenabi_ring ring;
    uint8_t *pages;
    uint32_t page_count;
    grant_ref_t references[1u << XG_RING_ORDER_MAX];
};

/* Driver context. What an error left behind is taken away by xg_ring_close. */
int xg_ring_open(struct xg_ring *ring, domid_t backend, uint32_t order, uint32_t entry_size);
void xg_ring_close(struct xg_ring *ring);
/* Takes entries with `one`, which answers as xenabi_front_take does, until none is left and the
 * backend will tell of the next. After `budget` entries the rest waits for the next poll. The result
 * is XENABI_RING_BROKEN as soon as `one` says so. Any context. */
int xg_ring_drain(struct xg_ring *ring, int (*one)(void *context), void *context, uint32_t budget);
/* Publishes what was put, and tells the backend if it wants to know. Any context. */
void xg_ring_push(struct xg_ring *ring, evtchn_port_t port);

/* A page of data. All zero: there is none. */
struct xg_page {
    uint8_t *page;
    grant_ref_t reference;
};

/* Pages and their grants. Closing takes those that exist, so that it may follow an error. */
int xg_pages_open(struct xg_page *pages, uint32_t count, domid_t backend, bool read_only);
void xg_pages_close(struct xg_page *pages, uint32_t count);

#endif /* XG_SHARED_H */
