/*
 * The block frontend.
 *
 *     submit --> waiting --+--> piece, pages, slot --> ring --> backend
 *                retry ----'        |                             |
 *                  ^                '<-------- response ----------'
 *                  '--- pieces that were under way when the backend went
 *
 * A request becomes pieces, each of which fits into one ring request. A piece is issued in a slot
 * of a queue, and its id names slot and serial number: a response is only believed if its id is
 * that of the piece in the slot, so that one that is made up, doubled or late finds nothing. Then
 * the device is closed and connected anew, and what was under way is issued again: reads and writes
 * bear that.
 *
 * Each piece has as many pages of the pool as its data needs. Without persistent grants they are
 * granted for the one request; a page that the backend keeps leaves the pool for the queue of
 * xg_grant.c, and the pool gets another. With them, a page is granted once for each connection.
 */
#include "xg_block_private.h"

/* Requests. */

static void finish(struct xg_block_private *own, struct xg_block_request *request)
{
    if (own->barrier == request)
        own->barrier = 0;
    request->done(request);
}

/* Counts a part as done. Parts without data count as one. */
void xgb_account(struct xg_block_private *own, struct xg_block_request *request, uint64_t count,
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
        piece = xgb_piece_take(own);
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
    piece = xgb_piece_take(own);
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
        retry->data += xgb_has_data(piece->operation) ? piece->count * XG_SECTOR : 0;
        retry->count -= piece->count;
        if (retry->count == 0) {
            own->retry = retry->next;
            xgb_piece_put(own, retry);
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
    *error = 0; /* a barrier without data: all before it has been answered, nothing has gone since */
    return piece->count == 0 && piece->operation == BLKIF_OP_WRITE;
}

/* Issues as much as there is room for. Any context. */
void xgb_dispatch(struct xg_block *block)
{
    struct xg_block_private *own = block->own;

    if (!own->usable || own->dispatching || block->device.fault)
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
            xgb_piece_end(block, piece, error);
            continue;
        }
        if (xgb_has_data(piece->operation) && !xgb_piece_pages(block, piece)) {
            xgb_piece_put(own, piece);
            break;
        }
        while (queue->slots[slot])
            slot++;
        xgb_piece_issue(block, queue, slot, piece);
        issued(own, piece);
    }
    own->dispatching = false;
    for (uint32_t i = 0; i < block->queue_count; i++)
        xg_ring_push(&own->queues[i].shared, own->queues[i].port);
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
        xgb_pages_done(block, piece);
        xgb_piece_retry(block->own, piece);
        return true;
    }
    if (answer->status == BLKIF_RSP_OKAY && piece->operation == BLKIF_OP_READ)
        xgb_piece_copy(piece, true);
    xgb_piece_end(block, piece, status_error(answer->status));
    return true;
}

static int queue_take(void *context)
{
    struct queue *queue = context;
    struct blkif_response answer;
    int taken = blkif_front_take(&queue->shared.ring, &answer);

    return taken == XENABI_RING_DONE && !response(queue, &answer) ? XENABI_RING_BROKEN : taken;
}

/* Event context; and each poll. */
void xgb_queue_event(void *context)
{
    struct queue *queue = context;
    struct xg_block *block = queue->block;

    if (!block->own->usable || block->device.fault)
        return;
    if (xg_ring_drain(&queue->shared, queue_take, queue, queue->slot_count) == XENABI_RING_BROKEN) {
        block->own->usable = false;
        xg_device_fault(&block->device, "block: impossible response");
    }
    xgb_dispatch(block);
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
    xgb_dispatch(block);
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
void xgb_fail_all(struct xg_block *block, int error)
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
        xgb_account(own, request, request->count - request->issued, error);
        request = next;
    }
    while (piece) {
        struct piece *next = piece->next;
        xgb_piece_end(block, piece, error);
        piece = next;
    }
}
