/* Granted memory as rings and single pages. Closing gives it back now, or when the backend lets go. */
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

int xg_page_open(struct xg_page *page, domid_t backend, bool read_only)
{
    page->page = xg_os_pages(1);
    if (!page->page)
        return -XEN_ENOMEM;
    page->reference = xg_grant(backend, page->page, read_only);
    return page->reference == XG_NO_GRANT ? -XEN_ENOSPC : 0;
}

void xg_page_close(struct xg_page *page)
{
    if (page->page)
        xg_grant_end_free(page->reference, page->page);
    *page = (struct xg_page){0};
}
