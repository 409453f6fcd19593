/*
 * The backend. Requests wait in a list and are answered in any order, a few in each round, so that
 * several are always under way. What a frontend does against the protocol is counted.
 */
#include "block_model.h"

#include <stdlib.h>
#include <string.h>

#include "store_model.h"

#define WAITING 2048u
#define MAPPED 4096u
#define QUEUES 8u

static const char *const names[BLOCK_FAULTS] = {
    "good", "wrong-id", "huge-id", "old-serial", "doubled", "dropped", "late", "index-ahead",
    "index-back", "wrong-operation", "unknown-status", "error", "unsupported", "scribbled-header",
    "scribbled-slots", "scribbled-data", "keeps-data-mapped", "keeps-ring-mapped", "no-events",
    "event-storm", "vanishes", "closes", "restarts", "state-dance", "unplugged", "never-connects",
    "stuck-closing",
};

struct work {
    unsigned int queue;
    union {
        struct blkif_request plain;
        struct blkif_request_indirect indirect;
        struct blkif_request_discard discard;
    } request;
};

struct block_model_private {
    char path[96], front[96];
    unsigned int state, dance;
    bool connected, dead, stale; /* stale: the frontend is still connected to a predecessor */
    unsigned int queue_count;
    struct {
        struct xenabi_ring ring;
        grant_ref_t references[16];
        uint8_t *pages;
        unsigned int page_count;
        evtchn_port_t port;
    } queues[QUEUES];
    struct work waiting[WAITING];
    unsigned int waiting_count;
    struct {
        grant_ref_t reference;
        uint8_t *page;
    } mapped[MAPPED];
    unsigned int mapped_count, responses;
    struct blkif_response late;
    bool has_late, persistent;
    uint64_t sectors;
    uint64_t age;
};

const char *block_fault_name(enum block_fault fault)
{
    return names[fault];
}

static void set_state(struct block_model *model, unsigned int state)
{
    char path[128];
    model->own->state = state;
    snprintf(path, sizeof(path), "%s/state", model->own->path);
    store_set_number(path, state);
}

static void offer(struct block_model *model, const char *key, uint64_t value)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", model->own->path, key);
    if (model->odd_key && strcmp(model->odd_key, key) == 0)
        store_set(path, model->odd_value);
    else
        store_set_number(path, value);
}

static uint64_t front_number(struct block_model *model, const char *folder, const char *key,
                             uint64_t otherwise)
{
    char path[192];
    snprintf(path, sizeof(path), "%s/%s%s%s", model->own->front, folder, *folder ? "/" : "", key);
    return store_get_number(path, otherwise);
}

/* Mapping data pages. */

static void unmap_all(struct block_model *model)
{
    struct block_model_private *own = model->own;
    bool keep = model->fault == BLOCK_KEEPS_RING_MAPPED && model->fault_count;

    while (own->mapped_count)
        host_unmap(own->mapped[--own->mapped_count].reference, true);
    for (unsigned int i = 0; i < own->queue_count; i++) {
        for (unsigned int page = 0; page < own->queues[i].page_count && !keep; page++)
            host_unmap(own->queues[i].references[page], true);

    }
    if (keep) {
        model->fault_count--;
        model->struck++;
    }
    memset(own->queues, 0, sizeof(own->queues));
    own->queue_count = 0;
    own->connected = false;
    own->waiting_count = 0;
}

static uint8_t *page_get(struct block_model *model, grant_ref_t reference, bool writable)
{
    struct block_model_private *own = model->own;

    if (!own->persistent)
        return host_map(reference, 0, writable);
    for (unsigned int i = 0; i < own->mapped_count; i++) {
        if (own->mapped[i].reference == reference)
            return own->mapped[i].page;
    }
    uint8_t *page = host_map(reference, 0, true);
    if (page && own->mapped_count < MAPPED) {
        own->mapped[own->mapped_count].reference = reference;
        own->mapped[own->mapped_count++].page = page;
        if (own->mapped_count > model->most_mapped)
            model->most_mapped = own->mapped_count;
    }
    return page;
}

static void page_put(struct block_model *model, grant_ref_t reference, bool writable)
{
    if (model->own->persistent)
        return;
    if (model->fault == BLOCK_KEEPS_DATA_MAPPED && model->fault_count) {
        model->fault_count--;
        model->struck++;
        return; /* for ever */
    }
    host_unmap(reference, writable);
}

/* Rings. They are used where the frontend has them: pages in a row on the host. */

static bool connect(struct block_model *model)
{
    struct block_model_private *own = model->own;
    unsigned int order = (unsigned int)front_number(model, "", "ring-page-order", 0);
    unsigned int count = (unsigned int)front_number(model, "", "multi-queue-num-queues", 1);
    char path[160];

    if (order > model->ring_order || count == 0 || count > (model->queues ? model->queues : 1)) {
        model->protocol_errors++;
        return false;
    }
    snprintf(path, sizeof(path), "%s/protocol", own->front);
    model->protocol_key = store_get(path) && strcmp(store_get(path), "x86_64-abi") == 0;
    for (unsigned int i = 0; i < count; i++) {
        char folder[16] = "", key[16] = "ring-ref";
        uint8_t *first = 0;
        if (count > 1)
            snprintf(folder, sizeof(folder), "queue-%u", i);
        for (unsigned int page = 0; page < 1u << order; page++) {
            if (order)
                snprintf(key, sizeof(key), "ring-ref%u", page);
            grant_ref_t reference = (grant_ref_t)front_number(model, folder, key, 0);
            uint8_t *at = host_map(reference, 0, true);
            if (!at || (page && at != first + page * XEN_PAGE_SIZE)) {
                model->protocol_errors++;
                return false;
            }
            if (page == 0)
                first = at;
            own->queues[i].references[page] = reference;
        }
        own->queues[i].page_count = 1u << order;
        own->queues[i].port = (evtchn_port_t)front_number(model, folder, "event-channel", 0);
        blkif_back_attach(&own->queues[i].ring, first, (uint32_t)XEN_PAGE_SIZE << order);
    }
    own->queue_count = count;
    model->queues_used = count;
    model->order_used = order;
    own->persistent = model->persistent && front_number(model, "", "feature-persistent", 0);
    own->connected = true;
    own->responses = 0;
    model->connects++;
    return true;
}

/* Requests. */

static bool transfer(struct block_model *model, uint8_t operation, uint64_t sector,
                     const struct blkif_request_segment *segments, unsigned int count)
{
    uint64_t total = 0;
    bool good = true;

    for (unsigned int i = 0; i < count; i++)
        total += (uint64_t)(segments[i].last_sect - segments[i].first_sect) + 1;
    if (sector > model->own->sectors || total > model->own->sectors - sector)
        return false;
    if (count > model->most_segments)
        model->most_segments = count;
    if (operation != BLKIF_OP_READ && model->read_only) {
        model->protocol_errors++;
        return false;
    }
    for (unsigned int i = 0; i < count; i++) {
        bool into = operation == BLKIF_OP_READ;
        size_t bytes = ((size_t)(segments[i].last_sect - segments[i].first_sect) + 1) * 512;
        uint8_t *page = page_get(model, segments[i].gref, into);
        if (!page || segments[i].first_sect > segments[i].last_sect || segments[i].last_sect > 7) {
            model->protocol_errors++;
            return false;
        }
        page += segments[i].first_sect * 512u;
        if (into)
            memcpy(page, model->disk + sector * 512, bytes);
        else
            memcpy(model->disk + sector * 512, page, bytes);
        if (into && model->fault == BLOCK_SCRIBBLED_DATA && model->fault_count) {
            model->fault_count--;
            model->struck++;
            good = false; /* the data is spoiled: it says so, as a disk with an error does */
            memset(page, 0xee, bytes);
        }
        sector += bytes / 512;
        page_put(model, segments[i].gref, into);
    }
    return good;
}

/* A barrier must be alone, but for other parts of itself. */
static bool only_barriers(const struct block_model_private *own)
{
    for (unsigned int i = 0; i < own->waiting_count; i++) {
        if (own->waiting[i].request.plain.operation != BLKIF_OP_WRITE_BARRIER)
            return false;
    }
    return true;
}

static int16_t serve(struct block_model *model, struct work *work, uint8_t *operation, uint64_t *id)
{
    uint8_t kind = work->request.plain.operation;

    *operation = kind;
    if (kind == BLKIF_OP_INDIRECT) {
        struct blkif_request_indirect *request = &work->request.indirect;
        struct blkif_request_segment segments[512];
        *operation = request->indirect_op;
        *id = request->id;
        model->indirect_requests++;
        if (request->nr_segments == 0 || request->nr_segments > model->indirect ||
            request->indirect_op > BLKIF_OP_WRITE) {
            model->protocol_errors++;
            return BLKIF_RSP_ERROR;
        }
        void *table = page_get(model, request->indirect_grefs[0], false);
        if (!table) {
            model->protocol_errors++;
            return BLKIF_RSP_ERROR;
        }
        memcpy(segments, table, request->nr_segments * sizeof(segments[0]));
        page_put(model, request->indirect_grefs[0], false);
        return transfer(model, request->indirect_op, request->sector_number, segments,
                        request->nr_segments) ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR;
    }
    *id = work->request.plain.id;
    if (kind == BLKIF_OP_DISCARD) {
        struct blkif_request_discard *request = &work->request.discard;
        model->discards++;
        if (!model->discard || (request->flag && !model->secure)) {
            model->protocol_errors++;
            return BLKIF_RSP_EOPNOTSUPP;
        }
        if (request->sector_number > model->own->sectors ||
            request->nr_sectors > model->own->sectors - request->sector_number)
            return BLKIF_RSP_ERROR;
        memset(model->disk + request->sector_number * 512, 0, request->nr_sectors * 512);
        return BLKIF_RSP_OKAY;
    }
    if (kind == BLKIF_OP_FLUSH_DISKCACHE) {
        model->flushes++;
        if (!model->flush)
            model->protocol_errors++;
        return model->flush ? BLKIF_RSP_OKAY : BLKIF_RSP_EOPNOTSUPP;
    }
    if (kind == BLKIF_OP_WRITE_BARRIER) {
        model->barriers++;
        if (!model->barrier || !only_barriers(model->own))
            model->protocol_errors++;
    } else if (kind > BLKIF_OP_WRITE_BARRIER || work->request.plain.nr_segments == 0) {
        model->protocol_errors++;
        return BLKIF_RSP_ERROR;
    }
    if (work->request.plain.nr_segments > BLKIF_MAX_SEGMENTS_PER_REQUEST) {
        model->protocol_errors++;
        return BLKIF_RSP_ERROR;
    }
    return transfer(model, kind, work->request.plain.sector_number, work->request.plain.seg,
                    work->request.plain.nr_segments) ? BLKIF_RSP_OKAY : BLKIF_RSP_ERROR;
}

static void put(struct block_model *model, unsigned int queue, uint64_t id, uint8_t operation,
                int16_t status)
{
    struct blkif_response response = {.id = id, .operation = operation, .status = status};
    blkif_back_put(&model->own->queues[queue].ring, &response);
}

/* One response, good or not. False: none, or the connection has gone. */
static void respond(struct block_model *model, unsigned int index)
{
    struct block_model_private *own = model->own;
    struct work work = own->waiting[index];
    struct xenabi_ring *ring = &own->queues[work.queue].ring;
    bool strike = own->responses++ >= model->fault_after && model->fault_count != 0;
    uint64_t id = 0;
    uint8_t operation;
    int16_t status;

    enum block_fault fault = strike ? model->fault : BLOCK_GOOD;
    if (fault == BLOCK_UNSUPPORTED) {
        id = work.request.plain.id; /* at the same place in all kinds */
        operation = work.request.plain.operation == BLKIF_OP_INDIRECT
                        ? work.request.indirect.indirect_op : work.request.plain.operation;
        status = BLKIF_RSP_EOPNOTSUPP;
    } else {
        status = serve(model, &work, &operation, &id);
    }
    own->waiting[index] = own->waiting[--own->waiting_count];
    switch (fault) {
    case BLOCK_WRONG_ID: id ^= 1ull << (32 + host_below(30)); break;
    case BLOCK_HUGE_ID: id = UINT64_MAX - host_below(1000); break;
    case BLOCK_OLD_SERIAL: id -= 1ull << 32; break;
    case BLOCK_DOUBLED: put(model, work.queue, id, operation, status); break;
    case BLOCK_WRONG_OPERATION: operation ^= 1; break;
    case BLOCK_UNKNOWN_STATUS: status = 1234; break;
    case BLOCK_ERROR: status = BLKIF_RSP_ERROR; break;
    case BLOCK_LATE:
        own->late = (struct blkif_response){.id = id, .operation = operation, .status = status};
        own->has_late = true;
        break;
    default: break;
    }
    if (fault != BLOCK_DROPPED && fault != BLOCK_LATE && fault != BLOCK_RESTARTS)
        put(model, work.queue, id, operation, status);
    switch (fault) {
    case BLOCK_INDEX_AHEAD: ring->produced += 1000; break;
    case BLOCK_INDEX_BACK: ring->produced -= 5; break;
    case BLOCK_SCRIBBLED_HEADER:
        ring->shared->req_prod = (uint32_t)host_random();
        ring->shared->req_event = (uint32_t)host_random();
        ring->shared->rsp_event = (uint32_t)host_random();
        break;
    case BLOCK_SCRIBBLED_SLOTS:
        memset(ring->entries, 0xa5, (size_t)ring->count * ring->entry_size);
        break;
    case BLOCK_EVENT_STORM:
        for (unsigned int i = 0; i < 100; i++)
            host_port_notify(own->queues[work.queue].port);
        break;
    case BLOCK_VANISHES: {
        char path[128];
        snprintf(path, sizeof(path), "%s/state", own->path);
        own->dead = true;
        own->age = xg_os_time();
        unmap_all(model);
        store_remove(path);
        break;
    }
    case BLOCK_CLOSES: set_state(model, XenbusStateClosing); break;
    case BLOCK_RESTARTS:
        unmap_all(model);
        own->stale = true;
        set_state(model, XenbusStateInitWait);
        break;
    case BLOCK_STATE_DANCE: own->dance = 40; break;
    default: break;
    }
    if (strike && fault != BLOCK_GOOD && fault != BLOCK_KEEPS_DATA_MAPPED &&
        fault != BLOCK_KEEPS_RING_MAPPED && fault != BLOCK_SCRIBBLED_DATA) {
        model->struck++;
        model->fault_count--;
    }
    if (!own->connected || fault == BLOCK_VANISHES)
        return;
    bool notify = xenabi_back_push(ring);
    if (own->has_late && fault != BLOCK_LATE && host_chance(10)) {
        own->has_late = false;
        put(model, work.queue, own->late.id, own->late.operation, own->late.status);
        notify |= xenabi_back_push(ring);
    }
    if (fault != BLOCK_NO_EVENTS && notify)
        host_port_notify(own->queues[work.queue].port);
}

static bool serve_rings(struct block_model *model)
{
    struct block_model_private *own = model->own;
    bool any = false;

    for (unsigned int i = 0; i < own->queue_count; i++) {
        struct work work = {.queue = i};
        host_port_take(own->queues[i].port);
        while (own->waiting_count < WAITING) {
            int taken = xenabi_back_take(&own->queues[i].ring, &work.request, sizeof(work.request.plain));
            if (taken == XENABI_RING_BROKEN && model->fault != BLOCK_SCRIBBLED_HEADER)
                model->protocol_errors++;
            if (taken == XENABI_RING_EMPTY && xenabi_back_wait(&own->queues[i].ring))
                continue;
            if (taken != XENABI_RING_DONE)
                break;
            own->waiting[own->waiting_count++] = work;
            model->requests++;
            any = true;
        }
    }
    for (unsigned int done = 0; own->connected && own->waiting_count && done < 8; done++) {
        respond(model, model->in_order ? 0 : host_below(own->waiting_count));
        any = true;
    }
    return any;
}

static void announce(struct block_model *model)
{
    offer(model, "max-ring-page-order", model->ring_order);
    if (model->queues)
        offer(model, "multi-queue-max-queues", model->queues);
    set_state(model, XenbusStateInitWait);
}

static void properties(struct block_model *model)
{
    offer(model, "sectors", model->own->sectors);
    offer(model, "sector-size", 512);
    offer(model, "info", model->read_only ? VDISK_READONLY : 0);
    offer(model, "feature-flush-cache", model->flush);
    offer(model, "feature-barrier", model->barrier);
    offer(model, "feature-discard", model->discard);
    offer(model, "discard-secure", model->secure);
    offer(model, "feature-persistent", model->persistent);
    offer(model, "feature-max-indirect-segments", model->indirect);
}

static bool step(void *context)
{
    struct block_model *model = context;
    struct block_model_private *own = model->own;
    uint64_t front = front_number(model, "", "state", XenbusStateUnknown);

    if (own->dead) {
        if (model->fault == BLOCK_VANISHES && xg_os_time() - own->age > 50000000) {
            own->dead = false;
            announce(model);
        }
        return false;
    }
    if (own->dance) {
        own->dance--;
        set_state(model, host_below(9));
        if (own->dance == 0) {
            unmap_all(model);
            set_state(model, XenbusStateClosed);
        }
        return true;
    }
    switch (own->state) {
    case XenbusStateInitWait:
        if (front != XenbusStateInitialised && front != XenbusStateConnected) {
            own->stale = false;
            return false;
        }
        if (own->stale)
            return false;
        if (model->fault == BLOCK_NEVER_CONNECTS)
            return false;
        if (!connect(model)) {
            unmap_all(model);
            return false;
        }
        properties(model);
        set_state(model, XenbusStateConnected);
        return true;
    case XenbusStateConnected:
        if (model->fault == BLOCK_STUCK_CLOSING && front == XenbusStateClosing)
            return false;
        if (front == XenbusStateClosing || front == XenbusStateClosed) {
            unmap_all(model);
            set_state(model, XenbusStateClosing);
            return true;
        }
        return serve_rings(model);
    case XenbusStateClosing:
        if (front != XenbusStateClosed)
            return own->connected ? serve_rings(model) : false;
        unmap_all(model);
        set_state(model, XenbusStateClosed);
        return true;
    case XenbusStateClosed:
        if (front != XenbusStateInitialising)
            return false;
        announce(model);
        return true;
    default:
        return false;
    }
}

void block_model_start(struct block_model *model)
{
    struct block_model_private *own = calloc(1, sizeof(*own));
    char path[160];

    model->own = own;
    own->sectors = DISK_SECTORS;
    model->disk = calloc(DISK_SECTORS * 4, 512);
    snprintf(own->front, sizeof(own->front), HOME "/device/vbd/%u", model->id);
    snprintf(own->path, sizeof(own->path), "/local/domain/0/backend/vbd/1/%u", model->id);
    offer(model, "online", 1);
    offer(model, "mode", 0);
    snprintf(path, sizeof(path), "%s/mode", own->path);
    store_set(path, model->read_only ? "r" : "w");
    snprintf(path, sizeof(path), "%s/backend-id", own->front);
    store_set(path, "0");
    snprintf(path, sizeof(path), "%s/virtual-device", own->front);
    store_set_number(path, model->id);
    snprintf(path, sizeof(path), "%s/state", own->front);
    store_set(path, "1");
    announce(model);
    snprintf(path, sizeof(path), "%s/backend", own->front);
    store_set(path, own->path);
    host_add_model(step, model);
}

void block_model_remove(struct block_model *model)
{
    unmap_all(model);
    model->own->dead = true;
    store_remove(model->own->path);
    store_remove(model->own->front);
}

void block_model_kill(struct block_model *model)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/state", model->own->path);
    unmap_all(model);
    model->own->dead = true;
    store_remove(path);
}

void block_model_revive(struct block_model *model)
{
    model->own->dead = false;
    announce(model);
}

void block_model_resize(struct block_model *model, uint64_t sectors)
{
    model->own->sectors = sectors;
    offer(model, "sectors", sectors);
    set_state(model, XenbusStateConnected);
}

struct xenabi_ring *block_model_ring(struct block_model *model, unsigned int queue)
{
    return queue < model->own->queue_count ? &model->own->queues[queue].ring : 0;
}

void block_model_notify(struct block_model *model)
{
    for (unsigned int i = 0; i < model->own->queue_count; i++)
        host_port_notify(model->own->queues[i].port);
}
