/*
 * Pages and pieces of the block frontend: how a part of a request becomes a ring request.
 *
 *     pool  --take-->  a piece's pages  --done-->  pool
 *                           |  a backend that keeps one: the place stays empty until it is refilled
 *                           '--stop-->  limbo  --teardown-->  pool
 */
#include "xg_block_private.h"

/* Pool. */

void xgb_pool_put(struct xg_block_private *own, struct pool_page *page)
{
    page->next = own->pool;
    own->pool = page;
}

/* Ends a page's grant, and gives the page back to the pool unless the backend keeps it. */
void xgb_pool_release(struct xg_block_private *own, struct pool_page *page)
{
    if (!xg_grant_end(page->reference, page->page)) {
        page->page = 0;
        own->pages_missing++;
    }
    page->reference = XG_NO_GRANT;
    xgb_pool_put(own, page);
}

/* Fresh pages for those that were lost. Driver context. */
void xgb_pool_refill(struct xg_block_private *own)
{
    for (struct pool_page *page = own->pool; page && own->pages_missing; page = page->next) {
        if (!page->page && (page->page = xg_os_pages(1)))
            own->pages_missing--;
    }
}

/* The page that was used last and is there, granted. */
static struct pool_page *pool_take(struct xg_block *block, bool read_only)
{
    struct xg_block_private *own = block->own;
    struct pool_page **link = &own->pool, *page;

    while (*link && !(*link)->page)
        link = &(*link)->next;
    page = *link;
    if (!page)
        return 0;
    if (page->reference == XG_NO_GRANT) {
        page->reference =
            xg_grant(block->device.backend_id, page->page, read_only && !block->persistent);
        if (page->reference == XG_NO_GRANT)
            return 0;
    }
    *link = page->next;
    page->next = 0;
    return page;
}

void xgb_pages_done(struct xg_block *block, struct piece *piece)
{
    struct pool_page *pages = piece->pages, **link = &pages;

    piece->pages = 0;
    if (block->persistent) {
        /* In the order in which they were taken: pages that adjoin stay together, which is less work
         * for the disk behind the backend. The page of segments was taken first. */
        while (*link && (*link)->next)
            link = &(*link)->next;
        struct pool_page *last = *link;
        if (!last)
            return;
        if (piece->indirect) {
            *link = 0;
            last->next = pages;
            pages = last;
            while (last->next)
                last = last->next;
        }
        last->next = block->own->pool;
        block->own->pool = pages;
        return;
    }
    while (pages) {
        struct pool_page *page = pages;
        pages = page->next;
        xgb_pool_release(block->own, page);
    }
}

/* Pieces. */

struct piece *xgb_piece_take(struct xg_block_private *own)
{
    struct piece *piece = own->free_pieces;

    if (piece)
        own->free_pieces = piece->next;
    return piece;
}

void xgb_piece_put(struct xg_block_private *own, struct piece *piece)
{
    *piece = (struct piece){.next = own->free_pieces};
    own->free_pieces = piece;
}

/* Keeps the order in which pieces were issued first. */
void xgb_piece_retry(struct xg_block_private *own, struct piece *piece)
{
    struct piece **link = &own->retry;

    while (*link && (*link)->id >> 32 < piece->id >> 32)
        link = &(*link)->next;
    piece->next = *link;
    *link = piece;
}

void xgb_piece_end(struct xg_block *block, struct piece *piece, int error)
{
    struct xg_block_request *request = piece->request;
    uint64_t count = piece->count;

    xgb_pages_done(block, piece);
    xgb_piece_put(block->own, piece);
    xgb_account(block->own, request, count, error);
}

/* Copies between the caller's buffer and the pages of a piece. */
void xgb_piece_copy(struct piece *piece, bool out)
{
    uint64_t left = piece->count * XG_SECTOR;
    uint8_t *data = piece->data;

    for (struct pool_page *page = piece->pages; page && left; page = page->next) {
        uint32_t size = xgb_least(left, XEN_PAGE_SIZE);
        if (out)
            xenabi_copy(data, page->page, size);
        else
            xenabi_copy(page->page, data, size);
        data += size;
        left -= size;
    }
}

/* Gets pages for as much of a piece as there are; false: for nothing of it. */
bool xgb_piece_pages(struct xg_block *block, struct piece *piece)
{
    bool read_only = piece->operation != BLKIF_OP_READ;
    uint64_t wanted = (piece->count + SECTORS_PER_PAGE - 1) / SECTORS_PER_PAGE;
    uint32_t segments = 0;
    struct pool_page **link = &piece->pages, *table = 0;

    /* Barriers go plainly: an indirect request can only read and write. */
    piece->indirect = block->segments_max > BLKIF_MAX_SEGMENTS_PER_REQUEST &&
                      wanted > BLKIF_MAX_SEGMENTS_PER_REQUEST &&
                      piece->operation != BLKIF_OP_WRITE_BARRIER;
    if (piece->indirect) {
        table = pool_take(block, true);
        piece->indirect = table != 0;
    }
    wanted =
        xgb_least(wanted, piece->indirect ? block->segments_max : BLKIF_MAX_SEGMENTS_PER_REQUEST);
    while (segments < wanted && (*link = pool_take(block, read_only))) {
        link = &(*link)->next;
        segments++;
    }
    *link = table;
    if (segments == 0 && wanted) {
        xgb_pages_done(block, piece);
        return false;
    }
    piece->count = xgb_least(piece->count, (uint64_t)segments * SECTORS_PER_PAGE);
    return true;
}

static void segments_fill(const struct piece *piece, struct blkif_request_segment *segments,
                          uint32_t count)
{
    uint64_t left = piece->count;
    const struct pool_page *page = piece->pages;

    for (uint32_t i = 0; i < count; i++, page = page->next) {
        uint32_t sectors = xgb_least(left, SECTORS_PER_PAGE);
        segments[i] = (struct blkif_request_segment){.gref = page->reference,
                                                     .last_sect = (uint8_t)(sectors - 1)};
        left -= sectors;
    }
}

/* Writes a piece into the ring. */
void xgb_piece_issue(struct xg_block *block, struct queue *queue, uint32_t slot,
                     struct piece *piece)
{
    union {
        struct blkif_request plain;
        struct blkif_request_indirect indirect;
        struct blkif_request_discard discard;
    } request = {.plain = {0}};
    uint32_t segments =
        xgb_has_data(piece->operation)
            ? (uint32_t)((piece->count + SECTORS_PER_PAGE - 1) / SECTORS_PER_PAGE) : 0;
    blkif_vdev_t handle = (blkif_vdev_t)block->device.id;

    piece->id = ++block->own->serial << 32 | slot;
    piece->time = block->own->progress = xg_os_time();
    if (xgb_has_data(piece->operation) && piece->operation != BLKIF_OP_READ)
        xgb_piece_copy(piece, false);
    if (piece->operation == BLKIF_OP_DISCARD) {
        bool secure = piece->request->operation == XG_BLOCK_DISCARD_SECURE;
        request.discard = (struct blkif_request_discard){
            .operation = BLKIF_OP_DISCARD, .flag = secure ? BLKIF_DISCARD_SECURE : 0,
            .handle = handle, .id = piece->id, .sector_number = piece->sector,
            .nr_sectors = piece->count};
    } else if (piece->indirect) {
        struct pool_page *table = piece->pages;
        while (table->next)
            table = table->next;
        segments_fill(piece, (struct blkif_request_segment *)(void *)table->page, segments);
        request.indirect = (struct blkif_request_indirect){
            .operation = BLKIF_OP_INDIRECT, .indirect_op = piece->operation,
            .nr_segments = (uint16_t)segments, .id = piece->id, .sector_number = piece->sector,
            .handle = handle, .indirect_grefs = {table->reference}};
    } else {
        request.plain = (struct blkif_request){
            .operation = piece->operation, .nr_segments = (uint8_t)segments, .handle = handle,
            .id = piece->id, .sector_number = xgb_has_data(piece->operation) ? piece->sector : 0};
        segments_fill(piece, request.plain.seg, segments);
    }
    queue->slots[slot] = piece;
    queue->under_way++;
    block->own->under_way++;
    blkif_front_put(&queue->shared.ring, &request.plain);
}
