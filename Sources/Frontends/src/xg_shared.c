/* Granted memory as rings and pages. Closing gives it back now, or when the backend lets go. */
#include "xg_shared.h"

int xg_ring_open(struct xg_ring *ring, domid_t backend, uint32_t order, uint32_t entry_size)
{
    uint32_t pages = 1u << order;

    ring->pages = xg_os_pages(pages);
    if (!ring->pages)
        return -XEN_ENOMEM;
    ring->page_count = pages;
    if (!xenabi_front_init(&ring->ring, ring->pages, pages * XEN_PAGE_SIZE, entry_size))
        return -XEN_EINVAL;
    for (uint32_t i = 0; i < pages; i++) {
        ring->references[i] = xg_grant(backend, ring->pages + i * XEN_PAGE_SIZE, false);
        if (ring->references[i] == XG_NO_GRANT)
            return -XEN_ENOSPC;
    }
    return 0;
}

void xg_ring_close(struct xg_ring *ring)
{
    for (uint32_t i = 0; i < ring->page_count; i++)
        xg_grant_end_free(ring->references[i], ring->pages + i * XEN_PAGE_SIZE);
    *ring = (struct xg_ring){0};
}

int xg_ring_drain(struct xg_ring *ring, int (*one)(void *context), void *context, uint32_t budget)
{
    while (budget--) {
        int taken = one(context);
        if (taken == XENABI_RING_BROKEN)
            return taken;
        if (taken == XENABI_RING_EMPTY && !xenabi_front_wait(&ring->ring))
            return taken;
    }
    xg_os_wake();
    return XENABI_RING_DONE;
}

void xg_ring_push(struct xg_ring *ring, evtchn_port_t port)
{
    if (ring->ring.produced != ring->ring.published && xenabi_front_push(&ring->ring))
        xg_event_send(port);
}

int xg_pages_open(struct xg_page *pages, uint32_t count, domid_t backend, bool read_only)
{
    for (uint32_t i = 0; i < count; i++) {
        pages[i].page = xg_os_pages(1);
        if (!pages[i].page)
            return -XEN_ENOMEM;
        pages[i].reference = xg_grant(backend, pages[i].page, read_only);
        if (pages[i].reference == XG_NO_GRANT)
            return -XEN_ENOSPC;
    }
    return 0;
}

void xg_pages_close(struct xg_page *pages, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (pages[i].page)
            xg_grant_end_free(pages[i].reference, pages[i].page);
        pages[i] = (struct xg_page){0};
    }
}
