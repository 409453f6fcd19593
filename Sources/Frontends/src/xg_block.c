/*
 * The block frontend.
 *
 *     submit --> waiting --+--> piece, pages, slot --> ring --> backend
 *                retry ----'        |                             |
 *                  ^                '<-------- response ----------'
 *                  '--- pieces that were under way when the backend went
 *
 * A request becomes pieces, each of which fits into one ring request. A piece is issued in a slot of
 * a queue, and its id names slot and serial number: a response is only believed if its id is that of
 * the piece in the slot, so that one that is made up, doubled or late finds nothing. Then the device
 * is closed and connected anew, and what was under way is issued again: reads and writes bear that.
 *
 * Each piece has as many pages of the pool as its data needs. Without persistent grants they are
 * granted for the one request; a page that the backend keeps leaves the pool for the queue of
 * xg_grant.c, and the pool gets another. With them, a page is granted once for each connection.
 */
#include "xg_block.h"

#include "xg_event.h"
#include "xg_shared.h"

#define SECTORS_PER_PAGE (XEN_PAGE_SIZE / XG_SECTOR)
#define SEGMENTS_PER_PAGE ((uint32_t)(XEN_PAGE_SIZE / sizeof(struct blkif_request_segment)))
#define QUEUES_MAX 8u
#define SLOTS_IN_PAGE 32u

struct pool_page {
    struct pool_page *next;
    uint8_t *page;         /* 0: was lost to the backend */
    grant_ref_t reference; /* XG_NO_GRANT: not granted now */
};

/* A part of a request that goes as one ring request. */
struct piece {
    struct piece *next;
    struct xg_block_request *request;
    uint64_t sector, count;
    uint8_t *data;
    uint8_t operation; /* BLKIF_OP of the work */
    bool indirect;     /* wrapped in BLKIF_OP_INDIRECT */
    uint32_t tries;
    uint64_t id, time;
    struct pool_page *pages; /* data, in order; then the page of segments */
};

struct queue {
    struct xg_block *block;
    struct xg_ring shared;
    evtchn_port_t port;
    struct piece **slots;
    uint32_t slot_count, slot_bytes, under_way;
};

struct xg_block_private {
    bool usable, dispatching, gone;
    struct queue queues[QUEUES_MAX];
    uint32_t next_queue, under_way, wanted_grants;
    uint64_t serial, progress;
    struct xg_block_request *first, **last; /* waiting */
    struct xg_block_request *barrier;       /* goes alone until it is answered */
    struct piece *retry, *free_pieces, *pieces;
    uint32_t piece_count;
    struct pool_page *pool, *limbo, *pool_memory; /* limbo: the backend may still use them */
    uint32_t pool_count;
};

struct xg_block_options xg_block_defaults = {
    .flush = true,
    .barrier = true,
    .discard = true,
    .persistent = true,
    .indirect_segments = 32,
    .ring_order = 1,
    .queues = 1,
    .pool_pages = 128,
    .tries = 3,
    .request_timeout = 30000000000ull,
    .reconnect_timeout = 60000000000ull,
};
void (*xg_block_ready)(struct xg_block *block);
void (*xg_block_gone)(struct xg_block *block);

static uint32_t least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

/* Requests. */

static void finish(struct xg_block_private *own, struct xg_block_request *request)
{
    if (own->barrier == request)
        own->barrier = 0;
    request->done(request);
}

/* Counts a part as done. Parts without data count as one. */
static void account(struct xg_block_private *own, struct xg_block_request *request, uint64_t count,
                    int error)
{
    if (error && !request->result)
        request->result = error;
    request->left -= count ? count : 1;
    if (request->left == 0)
        finish(own, request);
}

static uint8_t operation_of(const struct xg_block *block, const struct xg_block_request *request)
{
    switch (request->operation) {
    case XG_BLOCK_READ:
        return BLKIF_OP_READ;
    case XG_BLOCK_WRITE:
        return BLKIF_OP_WRITE;
    case XG_BLOCK_WRITE_BARRIER:
        return block->barrier ? BLKIF_OP_WRITE_BARRIER : BLKIF_OP_WRITE;
    case XG_BLOCK_FLUSH:
        return BLKIF_OP_FLUSH_DISKCACHE;
    default:
        return BLKIF_OP_DISCARD;
    }
}

static bool has_data(uint8_t operation)
{
    return operation != BLKIF_OP_FLUSH_DISKCACHE && operation != BLKIF_OP_DISCARD;
}

/* Pool. */

static void pool_put(struct xg_block_private *own, struct pool_page *page)
{
    page->next = own->pool;
    own->pool = page;
}

/* Ends a page's grant, and gives the page back to the pool unless the backend keeps it. */
static void pool_release(struct xg_block_private *own, struct pool_page *page)
{
    if (!xg_grant_end(page->reference, page->page))
        page->page = 0;
    page->reference = XG_NO_GRANT;
    pool_put(own, page);
}

/* Fresh pages for those that were lost. Driver context. */
static void pool_refill(struct xg_block_private *own)
{
    for (struct pool_page *page = own->pool; page; page = page->next) {
        if (!page->page)
            page->page = xg_os_pages(1);
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

static void pages_done(struct xg_block *block, struct piece *piece)
{
    while (piece->pages) {
        struct pool_page *page = piece->pages;
        piece->pages = page->next;
        if (block->persistent)
            pool_put(block->own, page);
        else
            pool_release(block->own, page);
    }
}

/* Pieces. */

static struct piece *piece_take(struct xg_block_private *own)
{
    struct piece *piece = own->free_pieces;

    if (piece)
        own->free_pieces = piece->next;
    return piece;
}

static void piece_put(struct xg_block_private *own, struct piece *piece)
{
    *piece = (struct piece){.next = own->free_pieces};
    own->free_pieces = piece;
}

/* Keeps the order in which pieces were issued first. */
static void piece_retry(struct xg_block_private *own, struct piece *piece)
{
    struct piece **link = &own->retry;

    while (*link && (*link)->id >> 32 < piece->id >> 32)
        link = &(*link)->next;
    piece->next = *link;
    *link = piece;
}

static void piece_end(struct xg_block *block, struct piece *piece, int error)
{
    struct xg_block_request *request = piece->request;
    uint64_t count = piece->count;

    pages_done(block, piece);
    piece_put(block->own, piece);
    account(block->own, request, count, error);
}

/* Copies between the caller's buffer and the pages of a piece. */
static void piece_copy(struct piece *piece, bool out)
{
    uint64_t left = piece->count * XG_SECTOR;
    uint8_t *data = piece->data;

    for (struct pool_page *page = piece->pages; page && left; page = page->next) {
        uint32_t size = least(left, XEN_PAGE_SIZE);
        if (out)
            xenabi_copy(data, page->page, size);
        else
            xenabi_copy(page->page, data, size);
        data += size;
        left -= size;
    }
}

/* Gets pages for as much of a piece as there are; false: for nothing of it. */
static bool piece_pages(struct xg_block *block, struct piece *piece)
{
    bool read_only = piece->operation != BLKIF_OP_READ;
    uint64_t wanted = (piece->count + SECTORS_PER_PAGE - 1) / SECTORS_PER_PAGE;
    uint32_t segments = 0;
    struct pool_page **link = &piece->pages, *table = 0;

    piece->indirect = block->segments_max > BLKIF_MAX_SEGMENTS_PER_REQUEST &&
                      wanted > BLKIF_MAX_SEGMENTS_PER_REQUEST;
    if (piece->indirect) {
        table = pool_take(block, true);
        piece->indirect = table != 0;
    }
    wanted = least(wanted, piece->indirect ? block->segments_max : BLKIF_MAX_SEGMENTS_PER_REQUEST);
    while (segments < wanted && (*link = pool_take(block, read_only))) {
        link = &(*link)->next;
        segments++;
    }
    *link = table;
    if (segments == 0 && wanted) {
        pages_done(block, piece);
        return false;
    }
    piece->count = least(piece->count, (uint64_t)segments * SECTORS_PER_PAGE);
    return true;
}

static void segments_fill(const struct piece *piece, struct blkif_request_segment *segments,
                          uint32_t count)
{
    uint64_t left = piece->count;
    const struct pool_page *page = piece->pages;

    for (uint32_t i = 0; i < count; i++, page = page->next) {
        uint32_t sectors = least(left, SECTORS_PER_PAGE);
        segments[i] = (struct blkif_request_segment){.gref = page->reference,
                                                     .last_sect = (uint8_t)(sectors - 1)};
        left -= sectors;
    }
}

/* Writes a piece into the ring. */
static void piece_issue(struct xg_block *block, struct queue *queue, uint32_t slot,
                        struct piece *piece)
{
    union {
        struct blkif_request plain;
        struct blkif_request_indirect indirect;
        struct blkif_request_discard discard;
    } request = {.plain = {0}};
    uint32_t segments =
        has_data(piece->operation)
            ? (uint32_t)((piece->count + SECTORS_PER_PAGE - 1) / SECTORS_PER_PAGE) : 0;
    blkif_vdev_t handle = (blkif_vdev_t)block->device.id;

    piece->id = ++block->own->serial << 32 | slot;
    piece->time = block->own->progress = xg_os_time();
    if (has_data(piece->operation) && piece->operation != BLKIF_OP_READ)
        piece_copy(piece, false);
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
            .id = piece->id, .sector_number = has_data(piece->operation) ? piece->sector : 0};
        segments_fill(piece, request.plain.seg, segments);
    }
    queue->slots[slot] = piece;
    queue->under_way++;
    block->own->under_way++;
    blkif_front_put(&queue->shared.ring, &request.plain);
}

/* Issuing. */

static struct queue *queue_with_room(struct xg_block *block)
{
    struct xg_block_private *own = block->own;

    for (uint32_t i = 0; i < block->queue_count; i++) {
        struct queue *queue = &own->queues[own->next_queue++ % block->queue_count];
        if (queue->under_way < queue->slot_count && xenabi_front_free(&queue->shared.ring))
            return queue;
    }
    return 0;
}

/* Turns the head of the waiting requests, or of the retries, into a piece; 0: nothing may go now.
 * The head is left in place: issued() takes off what has gone. */
static struct piece *piece_next(struct xg_block *block)
{
    struct xg_block_private *own = block->own;
    struct xg_block_request *request = own->first;
    struct piece *piece;

    if (own->retry) {
        piece = piece_take(own);
        if (piece) {
            *piece = *own->retry;
            piece->operation = operation_of(block, piece->request);
        }
        return piece;
    }
    if (!request || (own->barrier && own->barrier != request))
        return 0;
    if (request->operation == XG_BLOCK_WRITE_BARRIER && !own->barrier) {
        if (own->under_way)
            return 0; /* the frontend itself waits, as queues know nothing of each other */
        own->barrier = request;
    }
    piece = piece_take(own);
    if (piece)
        *piece = (struct piece){.request = request,
                                .sector = request->sector + request->issued,
                                .count = request->count - request->issued,
                                .data = (uint8_t *)request->data + request->issued * XG_SECTOR,
                                .operation = operation_of(block, request)};
    return piece;
}

static void issued(struct xg_block_private *own, const struct piece *piece)
{
    struct piece *retry = own->retry;
    struct xg_block_request *request = own->first;

    if (retry) {
        retry->sector += piece->count;
        retry->data += has_data(piece->operation) ? piece->count * XG_SECTOR : 0;
        retry->count -= piece->count;
        if (retry->count == 0) {
            own->retry = retry->next;
            piece_put(own, retry);
        }
    } else {
        request->issued += piece->count;
        if (request->issued == request->count) {
            own->first = request->next;
            if (!own->first)
                own->last = &own->first;
        }
    }
}

/* What this backend does not offer is answered here. True: `error` is the answer. */
static bool answered_here(const struct xg_block *block, const struct piece *piece, int *error)
{
    bool secure = piece->request->operation == XG_BLOCK_DISCARD_SECURE;

    *error = -XEN_EOPNOTSUPP;
    if (piece->operation == BLKIF_OP_FLUSH_DISKCACHE)
        return !block->flush;
    if (piece->operation == BLKIF_OP_DISCARD)
        return secure ? !block->discard_secure : !block->discard;
    *error = 0; /* a barrier without data: all before it has been answered, and nothing has gone since */
    return piece->count == 0 && piece->operation == BLKIF_OP_WRITE;
}

/* Issues as much as there is room for. Any context. */
static void dispatch(struct xg_block *block)
{
    struct xg_block_private *own = block->own;

    if (!own->usable || own->dispatching)
        return;
    own->dispatching = true;
    for (;;) {
        struct queue *queue = queue_with_room(block);
        struct piece *piece = queue ? piece_next(block) : 0;
        uint32_t slot = 0;
        int error;
        if (!piece)
            break;
        if (answered_here(block, piece, &error)) {
            issued(own, piece);
            piece_end(block, piece, error);
            continue;
        }
        if (has_data(piece->operation) && !piece_pages(block, piece)) {
            piece_put(own, piece);
            break;
        }
        while (queue->slots[slot])
            slot++;
        piece_issue(block, queue, slot, piece);
        issued(own, piece);
    }
    own->dispatching = false;
    for (uint32_t i = 0; i < block->queue_count; i++) {
        struct queue *queue = &own->queues[i];
        if (queue->shared.ring.produced != queue->shared.ring.published && xenabi_front_push(&queue->shared.ring))
            xg_event_send(queue->port);
    }
}

/* Responses. */

/* What a status means for a piece that is not to be tried in another way. */
static int status_error(int16_t status)
{
    if (status == BLKIF_RSP_OKAY)
        return 0;
    return status == BLKIF_RSP_EOPNOTSUPP ? -XEN_EOPNOTSUPP : -XEN_EIO;
}

/* A feature that was offered and does not work is left out from now on. True: try otherwise. */
static bool without_feature(struct xg_block *block, struct piece *piece)
{
    if (piece->indirect) {
        block->segments_max = BLKIF_MAX_SEGMENTS_PER_REQUEST;
        return true;
    }
    if (piece->operation == BLKIF_OP_WRITE_BARRIER) {
        block->barrier = false;
        return true; /* as a plain write, in whose place it still goes alone */
    }
    if (piece->operation == BLKIF_OP_FLUSH_DISKCACHE)
        block->flush = false;
    if (piece->operation == BLKIF_OP_DISCARD)
        block->discard = block->discard_secure = false;
    return false;
}

/* Believes a response only if it is the answer to what stands in the slot that it names. */
static bool response(struct queue *queue, const struct blkif_response *answer)
{
    struct xg_block *block = queue->block;
    uint32_t slot = (uint32_t)answer->id;
    struct piece *piece = slot < queue->slot_count ? queue->slots[slot] : 0;

    if (!piece || piece->id != answer->id)
        return false;
    if (answer->operation != piece->operation &&
        !(piece->indirect && answer->operation == BLKIF_OP_INDIRECT))
        return false;
    queue->slots[slot] = 0;
    queue->under_way--;
    block->own->under_way--;
    block->own->progress = xg_os_time();
    if (answer->status == BLKIF_RSP_EOPNOTSUPP && without_feature(block, piece)) {
        pages_done(block, piece);
        piece_retry(block->own, piece);
        return true;
    }
    if (answer->status == BLKIF_RSP_OKAY && piece->operation == BLKIF_OP_READ)
        piece_copy(piece, true);
    piece_end(block, piece, status_error(answer->status));
    return true;
}

static void queue_run(struct queue *queue)
{
    struct xg_block *block = queue->block;
    uint32_t budget = queue->slot_count;

    while (block->own->usable && !block->device.fault) {
        struct blkif_response answer;
        int taken = blkif_front_take(&queue->shared.ring, &answer);
        if (taken == XENABI_RING_EMPTY) {
            if (!xenabi_front_wait(&queue->shared.ring))
                break;
        } else if (taken == XENABI_RING_BROKEN) {
            xg_device_fault(&block->device, "block: impossible index of responses");
        } else if (!response(queue, &answer)) {
            xg_device_fault(&block->device, "block: a response to no request");
        } else if (--budget == 0) {
            xg_os_wake(); /* the rest with the next poll */
            break;
        }
    }
    if (block->device.fault)
        block->own->usable = false;
    dispatch(block);
}

/* Event context. */
static void queue_event(void *context)
{
    queue_run(context);
}

/* For callers. */

int xg_block_submit(struct xg_block *block, struct xg_block_request *request)
{
    struct xg_block_private *own = block->own;
    enum xg_block_operation operation = request->operation;
    bool connected = block->device.phase == XG_RUNNING;

    if (own->gone)
        return -XEN_ENODEV;
    if (operation == XG_BLOCK_FLUSH)
        request->sector = request->count = 0;
    else if (request->count == 0 && operation != XG_BLOCK_WRITE_BARRIER)
        return -XEN_EINVAL;
    if (request->count > UINT64_MAX / XG_SECTOR)
        return -XEN_EINVAL;
    /* Before the first connection nothing is known yet: the backend judges. */
    if (block->device.connections) {
        if (request->count > block->sectors || request->sector > block->sectors - request->count)
            return -XEN_EINVAL;
        if (block->read_only && operation != XG_BLOCK_READ && operation != XG_BLOCK_FLUSH)
            return -XEN_EROFS;
    }
    if (connected && ((operation == XG_BLOCK_FLUSH && !block->flush) ||
                      (operation == XG_BLOCK_DISCARD && !block->discard) ||
                      (operation == XG_BLOCK_DISCARD_SECURE && !block->discard_secure)))
        return -XEN_EOPNOTSUPP;
    request->result = 0;
    request->issued = 0;
    request->left = request->count ? request->count : 1;
    request->next = 0;
    if (!own->first && !own->retry && !own->under_way)
        own->progress = xg_os_time();
    *own->last = request;
    own->last = &request->next;
    dispatch(block);
    return 0;
}

static void wake_waiter(struct xg_block_request *request)
{
    *(bool *)request->context = true;
    xg_os_wake();
}

int xg_block_wait(struct xg_block *block, struct xg_block_request *request)
{
    bool done = false;
    int error;

    request->done = wake_waiter;
    request->context = &done;
    error = xg_block_submit(block, request);
    while (!error && !done) {
        xg_os_wait(xg_os_time() + 1000000000ull);
        xg_bus_poll();
    }
    return error ? error : request->result;
}

/* Ends everything that waits. */
static void fail_all(struct xg_block *block, int error)
{
    struct xg_block_private *own = block->own;
    struct piece *piece = own->retry;
    struct xg_block_request *request = own->first;

    own->retry = 0;
    own->first = 0;
    own->last = &own->first;
    while (request) {
        struct xg_block_request *next = request->next;
        /* Pieces of it under way end by themselves; what has not gone is counted here. */
        account(own, request, request->count - request->issued, error);
        request = next;
    }
    while (piece) {
        struct piece *next = piece->next;
        piece_end(block, piece, error);
        piece = next;
    }
}

/* Connecting. */

static struct xg_device *block_create(const char *path)
{
    struct xg_block *block = xg_os_alloc(sizeof(*block));
    struct xg_block_private *own = xg_os_alloc(sizeof(*own));
    struct xg_block_options *options = &xg_block_defaults;

    (void)path;
    if (!block || !own)
        goto fail;
    block->own = own;
    block->options = *options;
    options = &block->options;
    options->queues = least(options->queues ? options->queues : 1, QUEUES_MAX);
    options->ring_order = least(options->ring_order, XG_RING_ORDER_MAX);
    options->indirect_segments = least(options->indirect_segments, SEGMENTS_PER_PAGE);
    if (options->pool_pages < 2)
        options->pool_pages = 2;
    /* Twice the slots: as many as can be under way, and as many to be tried again. */
    own->piece_count = 2 * options->queues * (SLOTS_IN_PAGE << options->ring_order);
    own->pool_count = options->pool_pages;
    own->pieces = xg_os_alloc(own->piece_count * sizeof(*own->pieces));
    own->pool_memory = xg_os_alloc(own->pool_count * sizeof(*own->pool_memory));
    if (!own->pieces || !own->pool_memory)
        goto fail;
    own->last = &own->first;
    for (uint32_t i = 0; i < own->piece_count; i++)
        piece_put(own, &own->pieces[i]);
    for (uint32_t i = 0; i < own->pool_count; i++)
        pool_put(own, &own->pool_memory[i]);
    return &block->device;
fail:
    if (own) {
        xg_os_free(own->pieces, own->piece_count * sizeof(*own->pieces));
        xg_os_free(own->pool_memory, own->pool_count * sizeof(*own->pool_memory));
    }
    xg_os_free(own, sizeof(*own));
    xg_os_free(block, sizeof(*block));
    return 0;
}

static int queue_setup(struct xg_block *block, struct queue *queue)
{
    domid_t backend = block->device.backend_id;
    int error = xg_ring_open(&queue->shared, backend, block->ring_order,
                             sizeof(union blkif_sring_entry));

    if (error)
        return error;
    queue->block = block;
    queue->slot_count = queue->shared.ring.count;
    queue->slot_bytes = queue->slot_count * (uint32_t)sizeof(struct piece *);
    queue->slots = xg_os_alloc(queue->slot_bytes);
    return queue->slots ? xg_event_open(backend, queue_event, queue, &queue->port) : -XEN_ENOMEM;
}

static int block_setup(struct xg_device *device)
{
    struct xg_block *block = (struct xg_block *)(void *)device;
    struct xg_block_options *options = &block->options;
    uint64_t pages = xg_device_offer(device, "max-ring-pages", 1);
    uint64_t order = xg_device_offer(device, "max-ring-page-order", 0);
    int error = 0;

    while (order < XG_RING_ORDER_MAX && 2ull << order <= pages)
        order++;
    block->ring_order = least(order, options->ring_order);
    block->queue_count = xg_device_queues(device, options->queues);
    for (uint32_t i = 0; i < block->queue_count && !error; i++)
        error = queue_setup(block, &block->own->queues[i]);
    pool_refill(block->own);
    block->own->progress = xg_os_time();
    return error;
}

static int queue_publish(struct xg_device *device, uint32_t transaction, const char *folder,
                         uint32_t index)
{
    const struct xg_block *block = (struct xg_block *)(void *)device;
    const struct queue *queue = &block->own->queues[index];
    char key[32] = "ring-ref", number[21];
    int error = xg_store_write_number(transaction, folder, "event-channel", queue->port);

    for (uint32_t i = 0; i < queue->shared.page_count && !error; i++) {
        xg_print_number(number, i);
        if (block->ring_order)
            xg_join(key, sizeof(key), "ring-ref", number, (char *)0);
        error = xg_store_write_number(transaction, folder, key, queue->shared.references[i]);
    }
    return error;
}

static int block_publish(struct xg_device *device, uint32_t transaction)
{
    struct xg_block *block = (struct xg_block *)(void *)device;
    const struct xg_key keys[] = {
        {"feature-persistent", block->options.persistent},
        {"ring-page-order", block->ring_order},
        {"num-ring-pages", 1u << block->ring_order},
    };
    char path[XG_PATH];
    int error =
        xg_store_write_keys(transaction, device->path, keys, block->ring_order ? 3 : 1);

    for (size_t i = 1; i < 3 && !error && block->ring_order == 0; i++)
        error = xg_device_unpublish(device, transaction, keys[i].key);
    if (!error && xg_join(path, sizeof(path), device->path, "/protocol", (char *)0))
        error = xg_store_write(transaction, path, XEN_IO_PROTO_ABI_NATIVE);
    return error ? error
                 : xg_device_publish_queues(device, transaction, block->queue_count, queue_publish);
}

/* Out of keys that the backend wrote; -XEN_EINVAL where they cannot be right. */
static int properties_read(struct xg_block *block)
{
    struct xg_device *device = &block->device;
    uint64_t sectors = xg_device_offer(device, "sectors", 0);
    uint64_t info = xg_device_offer(device, "info", 0);
    char path[XG_PATH], mode[8] = "w";

    /* Larger sectors come only to those who ask for them. */
    if (xg_device_offer(device, "sector-size", XG_SECTOR) != XG_SECTOR || sectors == 0 ||
        sectors > UINT64_MAX / XG_SECTOR)
        return -XEN_EINVAL;
    block->sectors = sectors;
    if (xg_join(path, sizeof(path), device->backend, "/mode", (char *)0))
        xg_store_read(XG_NO_TRANSACTION, path, mode, sizeof(mode));
    block->read_only = (info & VDISK_READONLY) || xg_equal(mode, "r");
    block->removable = (info & VDISK_REMOVABLE) != 0;
    block->cdrom = (info & VDISK_CDROM) != 0;
    return 0;
}

static int block_connected(struct xg_device *device)
{
    struct xg_block *block = (struct xg_block *)(void *)device;
    struct xg_block_options *options = &block->options;
    int error = properties_read(block);

    if (error)
        return error;
    block->flush = xg_device_agrees(device, options->flush, "feature-flush-cache");
    block->barrier = xg_device_agrees(device, options->barrier, "feature-barrier");
    block->discard = xg_device_agrees(device, options->discard, "feature-discard");
    block->discard_secure = xg_device_agrees(device, block->discard, "discard-secure");
    block->persistent = xg_device_agrees(device, options->persistent, "feature-persistent");
    block->discard_granularity =
        least(xg_device_offer(device, "discard-granularity", XG_SECTOR), UINT32_MAX);
    block->discard_alignment = least(xg_device_offer(device, "discard-alignment", 0), UINT32_MAX);
    block->segments_max = least(xg_device_offer(device, "feature-max-indirect-segments", 0),
                                options->indirect_segments);
    if (block->segments_max <= BLKIF_MAX_SEGMENTS_PER_REQUEST)
        block->segments_max = BLKIF_MAX_SEGMENTS_PER_REQUEST;
    block->own->progress = xg_os_time();
    block->own->usable = true;
    dispatch(block);
    if (xg_block_ready)
        xg_block_ready(block);
    return 0;
}

/* The disk's size may have changed. */
static void block_changed(struct xg_device *device)
{
    if (properties_read((struct xg_block *)(void *)device))
        xg_device_fault(device, "block: properties became impossible");
}

static void block_stop(struct xg_device *device)
{
    struct xg_block *block = (struct xg_block *)(void *)device;
    struct xg_block_private *own = block->own;

    own->usable = false;
    own->progress = xg_os_time();
    for (uint32_t i = 0; i < block->queue_count; i++) {
        struct queue *queue = &own->queues[i];
        for (uint32_t slot = 0; queue->slots && slot < queue->slot_count; slot++) {
            struct piece *piece = queue->slots[slot];
            if (!piece)
                continue;
            queue->slots[slot] = 0;
            own->under_way--;
            /* The backend may write into its pages until it has closed. */
            while (piece->pages) {
                struct pool_page *page = piece->pages;
                piece->pages = page->next;
                page->next = own->limbo;
                own->limbo = page;
            }
            if (device->fault && ++piece->tries >= block->options.tries)
                piece_end(block, piece, -XEN_EIO);
            else
                piece_retry(own, piece);
        }
        queue->under_way = 0;
    }
}

static void block_teardown(struct xg_device *device)
{
    struct xg_block *block = (struct xg_block *)(void *)device;
    struct xg_block_private *own = block->own;
    struct pool_page *pages = own->pool;

    for (uint32_t i = 0; i < block->queue_count; i++) {
        struct queue *queue = &own->queues[i];
        xg_event_close(queue->port, true);
        xg_ring_close(&queue->shared);
        xg_os_free(queue->slots, queue->slot_bytes);
        *queue = (struct queue){0};
    }
    block->queue_count = 0;
    own->pool = 0;
    while (pages || own->limbo) {
        struct pool_page *page = pages ? pages : own->limbo;
        *(pages ? &pages : &own->limbo) = page->next;
        pool_release(own, page);
    }
}

static void block_removed(struct xg_device *device)
{
    struct xg_block *block = (struct xg_block *)(void *)device;
    struct xg_block_private *own = block->own;

    own->gone = true;
    fail_all(block, -XEN_ENODEV);
    if (xg_block_gone)
        xg_block_gone(block);
    for (struct pool_page *page = own->pool; page; page = page->next) {
        if (page->page)
            xg_os_free_pages(page->page, 1);
    }
    xg_os_free(own->pieces, own->piece_count * sizeof(*own->pieces));
    xg_os_free(own->pool_memory, own->pool_count * sizeof(*own->pool_memory));
    xg_os_free(own, sizeof(*own));
    xg_os_free(block, sizeof(*block));
}

/* Whether an answer is overdue. */
static bool overdue(const struct xg_block *block, const struct queue *queue, uint64_t now)
{
    for (uint32_t slot = 0; slot < queue->slot_count; slot++) {
        const struct piece *piece = queue->slots[slot];
        if (piece && now - piece->time > block->options.request_timeout)
            return true;
    }
    return false;
}

static void block_poll(struct xg_device *device)
{
    struct xg_block *block = (struct xg_block *)(void *)device;
    struct xg_block_private *own = block->own;
    uint64_t now = xg_os_time();

    pool_refill(own);
    for (uint32_t i = 0; own->usable && i < block->queue_count; i++) {
        queue_run(&own->queues[i]); /* in case an event got lost */
        if (overdue(block, &own->queues[i], now))
            xg_device_fault(device, "block: a response is overdue");
    }
    if (device->fault)
        own->usable = false;
    if ((own->first || own->retry) && own->under_way == 0 &&
        now - own->progress >
            (own->usable ? block->options.request_timeout : block->options.reconnect_timeout))
        fail_all(block, -XEN_EIO);
}

const struct xg_driver xg_block_driver = {
    .type = "vbd",
    .published_state = XenbusStateInitialised,
    .create = block_create,
    .setup = block_setup,
    .publish = block_publish,
    .connected = block_connected,
    .changed = block_changed,
    .stop = block_stop,
    .teardown = block_teardown,
    .removed = block_removed,
    .poll = block_poll,
};
