/* Memory that a backend shares: the pages of a ring, and pages for data. */
#ifndef XG_SHARED_H
#define XG_SHARED_H

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

/* A page of data. All zero: there is none. */
struct xg_page {
    uint8_t *page;
    grant_ref_t reference;
};

/* A page and its grant. */
int xg_page_open(struct xg_page *page, domid_t backend, bool read_only);
void xg_page_close(struct xg_page *page);

#endif /* XG_SHARED_H */
