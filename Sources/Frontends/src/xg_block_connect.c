/*
 * The block frontend and xenbus: what is offered, agreed on and written, and what happens to
 * requests under way when a connection ends.
 */
#include "xg_block_private.h"

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
    options->queues = xgb_least(options->queues ? options->queues : 1, QUEUES_MAX);
    options->ring_order = xgb_least(options->ring_order, XG_RING_ORDER_MAX);
    options->indirect_segments = xgb_least(options->indirect_segments, SEGMENTS_PER_PAGE);
    if (options->pool_pages < 2)
        options->pool_pages = 2;
    /* Twice the slots: as many as can be under way, and as many to be tried again. */
    own->piece_count = 2 * options->queues * (SLOTS_IN_PAGE << options->ring_order);
    own->pool_count = own->pages_missing = options->pool_pages;
    own->pieces = xg_os_alloc(own->piece_count * sizeof(*own->pieces));
    own->pool_memory = xg_os_alloc(own->pool_count * sizeof(*own->pool_memory));
    if (!own->pieces || !own->pool_memory)
        goto fail;
    own->last = &own->first;
    for (uint32_t i = 0; i < own->piece_count; i++)
        xgb_piece_put(own, &own->pieces[i]);
    for (uint32_t i = own->pool_count; i-- > 0;)
        xgb_pool_put(own, &own->pool_memory[i]);
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
    if (!queue->slots)
        return -XEN_ENOMEM;
    return xg_event_open(backend, xgb_queue_event, queue, &queue->port);
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
    block->ring_order = xgb_least(order, options->ring_order);
    block->queue_count = xg_device_queues(device, options->queues);
    for (uint32_t i = 0; i < block->queue_count && !error; i++)
        error = queue_setup(block, &block->own->queues[i]);
    xgb_pool_refill(block->own);
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
        xgb_least(xg_device_offer(device, "discard-granularity", XG_SECTOR), UINT32_MAX);
    block->discard_alignment =
        xgb_least(xg_device_offer(device, "discard-alignment", 0), UINT32_MAX);
    block->segments_max = xgb_least(xg_device_offer(device, "feature-max-indirect-segments", 0),
                                options->indirect_segments);
    if (block->segments_max <= BLKIF_MAX_SEGMENTS_PER_REQUEST)
        block->segments_max = BLKIF_MAX_SEGMENTS_PER_REQUEST;
    block->own->progress = xg_os_time();
    block->own->usable = true;
    xgb_dispatch(block);
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
                xgb_piece_end(block, piece, -XEN_EIO);
            else
                xgb_piece_retry(own, piece);
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
        xgb_pool_release(own, page);
        if (page->page) /* the next backend may be another, who shall not see what this one did */
            __builtin_memset(page->page, 0, XEN_PAGE_SIZE);
    }
}

static void block_removed(struct xg_device *device)
{
    struct xg_block *block = (struct xg_block *)(void *)device;
    struct xg_block_private *own = block->own;

    own->gone = true;
    xgb_fail_all(block, -XEN_ENODEV);
    if (xg_block_gone && device->connections)
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
static bool overdue(const struct xg_block *block, struct queue *queue, uint64_t now)
{
    /* Not at each poll: it is late by a part of the timeout at most. */
    if (now - queue->looked < block->options.request_timeout / 16)
        return false;
    queue->looked = now;
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

    xgb_pool_refill(own);
    for (uint32_t i = 0; own->usable && i < block->queue_count; i++)
        xgb_queue_event(&own->queues[i]); /* in case an event got lost */
    uint64_t now = xg_os_time(); /* only now: nothing that was just issued is of later */
    for (uint32_t i = 0; own->usable && i < block->queue_count; i++) {
        if (overdue(block, &own->queues[i], now))
            xg_device_fault(device, "block: a response is overdue");
    }
    if (device->fault)
        own->usable = false;
    if ((own->first || own->retry) && own->under_way == 0 &&
        now - own->progress >
            (own->usable ? block->options.request_timeout : block->options.reconnect_timeout))
        xgb_fail_all(block, -XEN_EIO);
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
