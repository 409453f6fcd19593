/*
 * The balloon. A page in it has no frame any more; its address is kept in a list, for the frame that
 * comes back. The pages are taken from the system's allocator, so that the system decides how far
 * it can go: a target that it cannot reach is approached as memory becomes free.
 */
#include "xg_balloon.h"

#include "xg_store.h"

#define PAGES_PER_STEP 128u
#define CHUNK 512u
#define KIB_PER_PAGE (XEN_PAGE_SIZE / 1024u)

/* Addresses of pages without a frame, in chunks that are never given away. */
struct chunk {
    struct chunk *next;
    uint32_t count;
    void *pages[CHUNK];
};

static struct xg_watch watch;
static struct chunk *chunks;
static uint64_t now, target, most;

static void target_changed(void *context)
{
    uint64_t wanted = xg_store_number("memory", "target", 0) / KIB_PER_PAGE;

    (void)context;
    if (wanted == 0)
        return;
    target = wanted < most ? wanted : most; /* more than there ever was has no addresses */
    xg_os_wake();
}

/* A place for one more address. */
static struct chunk *chunk_with_room(void)
{
    if (!chunks || chunks->count == CHUNK) {
        struct chunk *chunk = xg_os_alloc(sizeof(*chunk));
        if (!chunk)
            return 0;
        chunk->next = chunks;
        chunks = chunk;
    }
    return chunks;
}

static bool inflate(void)
{
    struct chunk *chunk = chunk_with_room();
    void *page = chunk ? xg_os_pages(1) : 0;

    if (!page)
        return false;
    xen_pfn_t frame = xg_os_page_out(page);
    struct xen_memory_reservation reservation = {
        .extent_start = &frame, .nr_extents = 1, .domid = DOMID_SELF};
    if (xg_os_memory_op(XENMEM_decrease_reservation, &reservation) != 1) {
        if (xg_os_page_in(page, frame) == 0)
            xg_os_free_pages(page, 1);
        return false;
    }
    chunk->pages[chunk->count++] = page;
    now--;
    return true;
}

static bool deflate(void)
{
    xen_pfn_t frame = 0;
    struct xen_memory_reservation reservation = {
        .extent_start = &frame, .nr_extents = 1, .domid = DOMID_SELF};

    while (chunks && chunks->count == 0) {
        struct chunk *empty = chunks;
        chunks = empty->next;
        xg_os_free(empty, sizeof(*empty));
    }
    if (!chunks || xg_os_memory_op(XENMEM_increase_reservation, &reservation) != 1)
        return false;
    void *page = chunks->pages[chunks->count - 1];
    if (xg_os_page_in(page, frame)) {
        xg_os_memory_op(XENMEM_decrease_reservation, &reservation);
        return false;
    }
    chunks->count--;
    now++;
    xg_os_free_pages(page, 1);
    return true;
}

int xg_balloon_start(uint64_t pages)
{
    now = target = most = pages;
    chunks = 0;
    watch = (struct xg_watch){.path = "memory/target", .changed = target_changed};
    return xg_store_watch(&watch);
}

bool xg_balloon_step(void)
{
    for (uint32_t i = 0; i < PAGES_PER_STEP && now != target; i++) {
        if (!(now > target ? inflate() : deflate()))
            return false; /* later, perhaps */
    }
    return now != target;
}

uint64_t xg_balloon_now(void)
{
    return now;
}

uint64_t xg_balloon_target(void)
{
    return target;
}
