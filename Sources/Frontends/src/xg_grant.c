/*
 * Grants, version 1. Free references form a list in a private array beside the table; nothing of
 * the list is in the shared table, whose entries Xen changes as backends map and unmap.
 *
 * A backend may keep a page mapped for ever. Then neither reference nor page is used again: they
 * wait in a queue, of which each retry looks at a few, so that no backend makes us spin.
 */
#include "xg_grant.h"

#define ENTRIES_PER_FRAME (XEN_PAGE_SIZE / sizeof(struct grant_entry_v1))
#define RESERVED 8u
#define FRAMES_MAX 64u
#define RETRIES_PER_CALL 64u
#define EXCHANGES_PER_TRY 8u

struct shadow {
    grant_ref_t next; /* of the free list, or of the queue of deferred ones */
    void *page;       /* that goes with a deferred one */
};

static struct grant_entry_v1 *table;
static struct shadow *shadows;
static uint32_t entries, frame_count, used, deferred;
static grant_ref_t free_first, deferred_first, deferred_last;

static int table_map(void)
{
    xen_pfn_t frames[FRAMES_MAX] = {0};
    struct gnttab_set_version version = {.version = 1};
    struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = frame_count};

    /* A boot loader may have left another version; where Xen knows only one, that is it. */
    xg_os_grant_op(GNTTABOP_set_version, &version, 1);
    setup.frame_list = frames;
    long result = xg_os_grant_op(GNTTABOP_setup_table, &setup, 1);
    if (result || setup.status != GNTST_okay)
        return result ? (int)result : -XEN_EIO;
    table = xg_os_map(frames, frame_count);
    return table ? 0 : -XEN_ENOMEM;
}

int xg_grants_start(uint32_t frames)
{
    struct gnttab_query_size query = {.dom = DOMID_SELF};
    long result = xg_os_grant_op(GNTTABOP_query_size, &query, 1);

    if (result || query.status != GNTST_okay)
        return result ? (int)result : -XEN_EIO;
    frame_count = frames < FRAMES_MAX ? frames : FRAMES_MAX;
    if (frame_count > query.max_nr_frames)
        frame_count = query.max_nr_frames;
    entries = frame_count * (uint32_t)ENTRIES_PER_FRAME;
    if (entries <= RESERVED)
        return -XEN_ENOSPC;
    shadows = xg_os_alloc(entries * sizeof(*shadows));
    if (!shadows)
        return -XEN_ENOMEM;
    int error = table_map();
    if (error)
        return error;
    for (grant_ref_t reference = RESERVED; reference + 1 < entries; reference++)
        shadows[reference].next = reference + 1;
    free_first = RESERVED;
    deferred_first = deferred_last = XG_NO_GRANT;
    used = deferred = 0;
    return 0;
}

int xg_grants_resume(void)
{
    return table_map();
}

grant_ref_t xg_grant(domid_t domain, const void *page, bool read_only)
{
    grant_ref_t reference = free_first;
    uint64_t frame = xg_os_frame(page);

    if (reference == XG_NO_GRANT || frame > UINT32_MAX)
        return XG_NO_GRANT;
    free_first = shadows[reference].next;
    shadows[reference] = (struct shadow){0};
    used++;
    table[reference].domid = domain;
    table[reference].frame = (uint32_t)frame;
    /* The entry is live with this store, so that the frame must be there before. */
    __atomic_store_n(&table[reference].flags,
                     (uint16_t)(GTF_permit_access | (read_only ? GTF_readonly : 0)),
                     __ATOMIC_RELEASE);
    return reference;
}

/* Takes the entry away unless it is in use. Xen sets the use bits while we look: exchange. */
static bool entry_end(grant_ref_t reference)
{
    uint16_t seen = __atomic_load_n(&table[reference].flags, __ATOMIC_ACQUIRE);

    /* A backend that maps and unmaps all the time could keep an endless loop from its end. */
    for (unsigned int attempt = 0; attempt < EXCHANGES_PER_TRY; attempt++) {
        if (seen & (GTF_reading | GTF_writing))
            return false;
        if (__atomic_compare_exchange_n(&table[reference].flags, &seen, 0, false, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)) {
            shadows[reference].next = free_first;
            free_first = reference;
            used--;
            return true;
        }
    }
    return false;
}

static void defer(grant_ref_t reference, void *page)
{
    shadows[reference] = (struct shadow){XG_NO_GRANT, page};
    if (deferred_last == XG_NO_GRANT)
        deferred_first = reference;
    else
        shadows[deferred_last].next = reference;
    deferred_last = reference;
    deferred++;
}

bool xg_grant_end(grant_ref_t reference, void *page)
{
    if (reference == XG_NO_GRANT || entry_end(reference))
        return true;
    defer(reference, page);
    return false;
}

void xg_grant_end_free(grant_ref_t reference, void *page)
{
    if (xg_grant_end(reference, page) && page)
        xg_os_free_pages(page, 1);
}

void xg_grants_retry(void)
{
    uint32_t count = deferred < RETRIES_PER_CALL ? deferred : RETRIES_PER_CALL;

    while (count--) {
        grant_ref_t reference = deferred_first;
        void *page = shadows[reference].page;
        deferred_first = shadows[reference].next;
        if (deferred_first == XG_NO_GRANT)
            deferred_last = XG_NO_GRANT;
        deferred--;
        xg_grant_end_free(reference, page); /* goes to the queue's end if it is still mapped */
    }
}

uint32_t xg_grants_used(void)
{
    return used;
}

uint32_t xg_grants_deferred(void)
{
    return deferred;
}
