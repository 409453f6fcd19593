/*
 * The model of a disk's contents: for each sector the bytes that the last acknowledged write left, or
 * "unknown" after a write that failed. Requests under way never overlap, so each answer has one truth.
 */
#include "workload.h"

#include <stdlib.h>
#include <string.h>

#include "store_model.h"
#include "xg_event.h"
#include "xg_grant.h"

#define SLOTS 48u
#define MOST (512u * 8u)

static struct slot {
    bool busy;
    struct xg_block_request request;
    uint8_t *data;
    struct workload *workload;
} slots[SLOTS];
static uint8_t *truth;
static bool *unknown;
static struct workload *current;
static size_t pages_before, bytes_before;
static unsigned int ports_before;

static void ready(struct xg_block *block)
{
    current->block = block;
}

static void gone(struct xg_block *block)
{
    (void)block;
    current->block = 0;
}

bool workload_connect(struct workload *workload, struct block_model *model)
{
    static const struct xg_driver *const drivers[] = {&xg_block_driver};

    current = workload;
    workload->model = model;
    xg_block_ready = ready;
    xg_block_gone = gone;
    truth = calloc(DISK_SECTORS, 512);
    unknown = calloc(DISK_SECTORS, sizeof(bool));
    for (unsigned int i = 0; i < SLOTS; i++)
        slots[i].data = calloc(MOST, 512);
    store_model_start();
    block_model_start(model);
    if (xg_grants_start(32) || xg_store_start() || xg_bus_start(drivers, 1))
        return false;
    pages_before = host_pages_used();
    bytes_before = host_bytes_used();
    ports_before = host_ports();
    return true;
}

static void done(struct xg_block_request *request)
{
    struct slot *slot = request->context;
    struct workload *workload = slot->workload;
    size_t first = request->sector * 512, size = request->count * 512;

    CHECK(slot->busy); /* answered twice? */
    slot->busy = false;
    workload->finished++;
    if (request->result) {
        workload->failed++;
        if (request->operation != XG_BLOCK_READ && request->operation != XG_BLOCK_FLUSH)
            memset(unknown + request->sector, 1, request->count);
        return;
    }
    switch (request->operation) {
    case XG_BLOCK_READ:
        for (uint64_t i = 0; i < request->count; i++) {
            if (!unknown[request->sector + i] &&
                memcmp(slot->data + i * 512, truth + first + i * 512, 512))
                workload->wrong_data++;
        }
        break;
    case XG_BLOCK_WRITE:
    case XG_BLOCK_WRITE_BARRIER:
        memcpy(truth + first, slot->data, size);
        memset(unknown + request->sector, 0, request->count);
        break;
    case XG_BLOCK_DISCARD:
    case XG_BLOCK_DISCARD_SECURE:
        memset(truth + first, 0, size);
        memset(unknown + request->sector, 0, request->count);
        break;
    case XG_BLOCK_FLUSH:
        break;
    }
}

static bool overlaps(uint64_t sector, uint64_t count)
{
    for (unsigned int i = 0; i < SLOTS; i++) {
        const struct xg_block_request *request = &slots[i].request;
        if (slots[i].busy && sector < request->sector + request->count &&
            request->sector < sector + count)
            return true;
    }
    return false;
}

static void fill(struct slot *slot, uint64_t count)
{
    for (uint64_t i = 0; i < count * 512; i += 8) {
        uint64_t value = host_random();
        memcpy(slot->data + i, &value, 8);
    }
}

static void submit_one(struct workload *workload, struct slot *slot)
{
    uint32_t kind = host_below(100);
    uint64_t count = host_chance(30) ? 1 + host_below(workload->most_sectors) : 1 + host_below(16);
    uint64_t sector = host_below(DISK_SECTORS - (uint32_t)count);

    if (overlaps(sector, count))
        return;
    slot->workload = workload;
    slot->request = (struct xg_block_request){
        .operation = kind < 45   ? XG_BLOCK_READ
                     : kind < 88 ? XG_BLOCK_WRITE
                     : kind < 91 ? XG_BLOCK_WRITE_BARRIER
                     : kind < 95 ? XG_BLOCK_FLUSH
                     : kind < 98 ? XG_BLOCK_DISCARD : XG_BLOCK_DISCARD_SECURE,
        .sector = sector, .count = count, .data = slot->data, .done = done, .context = slot};
    if (slot->request.operation == XG_BLOCK_WRITE_BARRIER && host_chance(30))
        slot->request.count = 0;
    if (slot->request.operation == XG_BLOCK_READ)
        memset(slot->data, 0x5a, count * 512);
    else
        fill(slot, count);
    slot->busy = true;
    workload->submitted++;
    if (xg_block_submit(workload->block, &slot->request)) {
        slot->busy = false;
        workload->submitted--;
        workload->refused++;
    }
}

static unsigned int busy_slots(void)
{
    unsigned int count = 0;
    for (unsigned int i = 0; i < SLOTS; i++)
        count += slots[i].busy;
    return count;
}

void workload_submit(struct workload *workload)
{
    unsigned int at_once = workload->most_at_once ? workload->most_at_once : SLOTS;

    if (!workload->most_sectors)
        workload->most_sectors = 256;
    for (unsigned int i = 0; i < at_once && workload->block; i++) {
        if (!slots[i].busy && workload->submitted + workload->refused < workload->wanted)
            submit_one(workload, &slots[i]);
    }
}

bool workload_run(struct workload *workload)
{
    uint64_t deadline = xg_os_time() + 2000000000000ull;

    while (workload->finished + workload->refused < workload->wanted || busy_slots()) {
        workload_submit(workload);
        if (xg_os_time() > deadline)
            return false;
        xg_os_wait(xg_os_time() + 1000000000);
        xg_bus_poll();
        if (!workload->block && !busy_slots() && workload->submitted)
            return true;
    }
    return true;
}

bool workload_verify(struct workload *workload)
{
    static uint8_t buffer[64 * 512];

    for (uint64_t sector = 0; sector < DISK_SECTORS; sector += 64) {
        struct xg_block_request request = {
            .operation = XG_BLOCK_READ, .sector = sector, .count = 64, .data = buffer};
        if (xg_block_wait(workload->block, &request))
            return false;
        for (uint64_t i = 0; i < 64; i++) {
            if (!unknown[sector + i] && memcmp(buffer + i * 512, truth + (sector + i) * 512, 512))
                workload->wrong_data++;
        }
    }
    return workload->wrong_data == 0;
}

static bool is_gone(void *context)
{
    return ((struct workload *)context)->block == 0 && host_ports() == ports_before;
}

void workload_end(struct workload *workload, uint32_t kept_pages)
{
    if (workload->block)
        block_model_remove(workload->model);
    CHECK(host_until(is_gone, workload, 10000000000ull));
    for (unsigned int i = 0; i < 100; i++)
        xg_bus_poll();
    CHECK(xg_grants_used() == kept_pages);
    CHECK(xg_grants_deferred() == kept_pages);
    CHECK(host_pages_used() == pages_before + kept_pages);
    CHECK(host_bytes_used() == bytes_before);
    CHECK(xg_event_count() == 1);
}
