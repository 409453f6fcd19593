/*
 * test: front-block-faults
 * A guest writes a pattern over its first disk (64 MiB, or all of it; "mib=N" on the command line),
 * flushes, reads it back and compares every byte. Features are left out by the words no-persistent,
 * no-indirect, no-flush, no-discard; queues=N and ring-order=N set those, and disk=N (51712 is xvda)
 * says which disk. A read-only disk is only read; "written" says that an earlier run has left the
 * pattern on it. timeout=SECONDS says when an answer counts as lost, flush-every=N flushes after as many
 * chunks of 64 KiB. Chunks whose write was answered with an error are told, and not compared.
 */
#include "front.h"

#include "xg_block.h"

#define CHUNK 65536u
#define UNDER_WAY 8u
#define CHUNKS_MAX 16384u

static struct xg_block *block;
static struct transfer {
    struct xg_block_request request;
    uint8_t data[CHUNK];
    bool busy;
} transfers[UNDER_WAY];
static uint64_t bad_chunks, errors, flush_errors;
static bool failed[CHUNKS_MAX];
static uint64_t flush_every;

static void ready(struct xg_block *found)
{
    uint64_t wanted = life_number("disk=", 0);

    if (!block && (!wanted || found->device.id == wanted))
        block = found;
}

static void gone(struct xg_block *lost)
{
    if (block == lost)
        block = 0;
}

static bool is_ready(void)
{
    return block != 0;
}

/* The bytes of each sector follow from its number. */
static uint64_t word_of(uint64_t sector, unsigned int index)
{
    return (sector * 64 + index + 1) * 0x9e3779b97f4a7c15ull;
}

static void fill(struct transfer *transfer)
{
    uint64_t *words = (uint64_t *)(void *)transfer->data;
    for (unsigned int i = 0; i < CHUNK / 8; i++)
        words[i] = word_of(transfer->request.sector + i / 64, i % 64);
}

static bool matches(const struct transfer *transfer)
{
    const uint64_t *words = (const uint64_t *)(const void *)transfer->data;
    for (unsigned int i = 0; i < CHUNK / 8; i++) {
        if (words[i] != word_of(transfer->request.sector + i / 64, i % 64))
            return false;
    }
    return true;
}

static void done(struct xg_block_request *request)
{
    struct transfer *transfer = request->context;

    uint64_t chunk = request->sector / (CHUNK / XG_SECTOR);

    transfer->busy = false;
    if (request->result) {
        errors++;
        failed[chunk] |= request->operation == XG_BLOCK_WRITE;
    } else if (request->operation == XG_BLOCK_READ && !failed[chunk] && !matches(transfer)) {
        bad_chunks++;
    }
}

static bool all_idle(void)
{
    for (unsigned int i = 0; i < UNDER_WAY; i++) {
        if (transfers[i].busy)
            return false;
    }
    return true;
}

static bool any_idle(void)
{
    for (unsigned int i = 0; i < UNDER_WAY; i++) {
        if (!transfers[i].busy)
            return true;
    }
    return false;
}

static void flush_now(void)
{
    struct xg_block_request flush = {.operation = XG_BLOCK_FLUSH};

    if (block && block->flush && xg_block_wait(block, &flush))
        flush_errors++;
}

static void whole_disk(enum xg_block_operation operation, uint64_t chunks)
{
    uint64_t began = system_time();

    for (uint64_t chunk = 0; chunk < chunks;) {
        for (unsigned int i = 0; i < UNDER_WAY && chunk < chunks; i++) {
            struct transfer *transfer = &transfers[i];
            if (transfer->busy)
                continue;
            transfer->request = (struct xg_block_request){
                .operation = operation, .sector = chunk * (CHUNK / XG_SECTOR),
                .count = CHUNK / XG_SECTOR, .data = transfer->data, .done = done,
                .context = transfer};
            if (operation == XG_BLOCK_WRITE)
                fill(transfer);
            else
                memset(transfer->data, 0, CHUNK);
            transfer->busy = true;
            chunk++;
            if (!block || xg_block_submit(block, &transfer->request)) {
                transfer->busy = false;
                errors++;
                failed[chunk - 1] |= operation == XG_BLOCK_WRITE;
            }
        }
        if (flush_every && operation == XG_BLOCK_WRITE && chunk % flush_every == 0)
            flush_now();
        if (!any_idle() && !life_until(any_idle, 120 * SECONDS))
            break;
    }
    life_until(all_idle, 120 * SECONDS);
    life_say(operation == XG_BLOCK_WRITE ? "wrote " : "read ", life_text(chunks * CHUNK / 1024),
        " KiB in ", life_text((system_time() - began) / MILLISECONDS), " ms", (char *)0);
}

void test_main(void)
{
    static const struct xg_driver *const drivers[] = {&xg_block_driver};
    struct xg_block_request flush = {.operation = XG_BLOCK_FLUSH};

    xg_block_ready = ready;
    xg_block_gone = gone;
    flush_every = life_number("flush-every=", 0);
    xg_block_defaults.request_timeout = life_number("timeout=", 30) * SECONDS;
    xg_block_defaults.reconnect_timeout = 2 * xg_block_defaults.request_timeout;
    xg_block_defaults.persistent = !life_has("no-persistent");
    xg_block_defaults.flush = !life_has("no-flush");
    xg_block_defaults.discard = !life_has("no-discard");
    if (life_has("no-indirect"))
        xg_block_defaults.indirect_segments = 0;
    xg_block_defaults.queues = (uint32_t)life_number("queues=", 1);
    xg_block_defaults.ring_order = (uint32_t)life_number("ring-order=", 1);
    front_start(drivers, 1);
    life_check("a disk", life_until(is_ready, life_number("patience=", 30) * SECONDS));
    if (!block)
        front_end(life_end());
    life_say(life_text(block->sectors), " sectors, ", life_text(block->queue_count), " queues, order ",
        life_text(block->ring_order), ", ", life_text(block->segments_max), " segments",
        block->persistent ? ", persistent" : "", block->flush ? ", flush" : "",
        block->barrier ? ", barrier" : "", block->discard ? ", discard" : "",
        block->read_only ? ", read-only" : "", (char *)0);
    uint64_t chunks = life_number("mib=", 64) * 1048576 / CHUNK;
    if (chunks > block->sectors / (CHUNK / XG_SECTOR))
        chunks = block->sectors / (CHUNK / XG_SECTOR);
    if (chunks > CHUNKS_MAX)
        chunks = CHUNKS_MAX;
    bool is_read_only = block->read_only;
    if (!is_read_only) {
        whole_disk(XG_BLOCK_WRITE, chunks);
        for (uint64_t chunk = 0; chunk < chunks; chunk++) {
            if (failed[chunk])
                life_say("failed: chunk ", life_text(chunk), (char *)0);
        }
        if (block && block->flush)
            life_check("flush", xg_block_wait(block, &flush) == 0);
    }
    whole_disk(XG_BLOCK_READ, chunks);
    life_check("no errors", errors == 0 && flush_errors == 0);
    if (block)
        life_say("connections ", life_text(block->device.connections), ", faults ",
            life_text(block->device.faults), (char *)0);
    /* A disk that cannot be written holds the pattern only if somebody says so. */
    if (!is_read_only || life_has("written"))
        life_check("every byte as written", bad_chunks == 0);
    front_end(life_end());
}
