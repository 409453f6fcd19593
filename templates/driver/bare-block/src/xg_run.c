/*
 * The driver's life: it writes a pattern over its first disk, flushes, reads it back and compares
 * every byte; what was not written, by an answer with an error, is told and not compared. Make it yours
 * from here. Words of the kernel's command line:
 *
 *   mib=N                          so much of the disk (64), or all of it where it is smaller
 *   disk=N                         that disk (51712 is xvda, 51728 xvdb)
 *   written                        an earlier run has left the pattern: only read and compare
 *   flush-every=N                  a flush after so many chunks of 64 KiB, and not only at the end
 *   timeout=N, patience=N          seconds until an answer counts as lost (30), and until a disk comes (30)
 *   no-persistent, no-indirect, no-flush, no-discard       features that are not asked for
 *   queues=N, ring-order=N         rings, and the binary logarithm of the pages of each
 */
#include "xg_run.h"

#include "xg_block.h"
#include "xg_life.h"

#define CHUNK 65536u
#define CHUNK_SECTORS (CHUNK / XG_SECTOR)
#define SECTOR_WORDS (XG_SECTOR / 8)
#define UNDER_WAY 8u
#define LONGEST (120 * SECONDS)
/* What is noted of each chunk reaches so far: 16 GiB. */
#define CHUNKS_MAX 262144u

static const struct xg_driver *const drivers[] = {&xg_block_driver};

static struct xg_block *block;
static struct transfer {
    struct xg_block_request request;
    uint64_t words[CHUNK / 8];
    bool busy;
} transfers[UNDER_WAY];
static uint64_t bad_chunks, errors;
/* A bit for each chunk whose write failed. */
static uint64_t failed[CHUNKS_MAX / 64];

static void ready(struct xg_block *found)
{
    uint64_t wanted = life_number("disk=", 0);

    if (!block && (!wanted || found->device.id == wanted))
        block = found;
}

/* Unplugged in use: what is left of the work fails, and nobody touches the disk any more. */
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
    return (sector * SECTOR_WORDS + index + 1) * 0x9e3779b97f4a7c15ull;
}

static void fill(struct transfer *transfer)
{
    for (unsigned int i = 0; i < CHUNK / 8; i++)
        transfer->words[i] = word_of(transfer->request.sector, i);
}

static bool matches(const struct transfer *transfer)
{
    for (unsigned int i = 0; i < CHUNK / 8; i++) {
        if (transfer->words[i] != word_of(transfer->request.sector, i))
            return false;
    }
    return true;
}

static void note_failure(uint64_t chunk)
{
    failed[chunk / 64] |= 1ull << chunk % 64;
}

static bool has_failed(uint64_t chunk)
{
    return failed[chunk / 64] >> chunk % 64 & 1;
}

static void done(struct xg_block_request *request)
{
    struct transfer *transfer = request->context;
    uint64_t chunk = request->sector / CHUNK_SECTORS;

    transfer->busy = false;
    if (request->result) {
        errors++;
        if (request->operation == XG_BLOCK_WRITE)
            note_failure(chunk);
    } else if (request->operation == XG_BLOCK_READ && !has_failed(chunk) && !matches(transfer)) {
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

static void start(struct transfer *transfer, enum xg_block_operation operation, uint64_t chunk)
{
    transfer->request = (struct xg_block_request){
        .operation = operation, .sector = chunk * CHUNK_SECTORS, .count = CHUNK_SECTORS,
        .data = transfer->words, .done = done, .context = transfer};
    if (operation == XG_BLOCK_WRITE)
        fill(transfer);
    else
        __builtin_memset(transfer->words, 0, CHUNK);
    transfer->busy = true;
    if (!block || xg_block_submit(block, &transfer->request)) {
        transfer->busy = false;
        errors++;
        if (operation == XG_BLOCK_WRITE)
            note_failure(chunk);
    }
}

static bool is_flushed(void)
{
    struct xg_block_request request = {.operation = XG_BLOCK_FLUSH};

    return !block || !block->flush || xg_block_wait(block, &request) == 0;
}

static void whole_disk(enum xg_block_operation operation, uint64_t chunks)
{
    uint64_t began = xg_os_time(), flush_every = life_number("flush-every=", 0);

    for (uint64_t chunk = 0; chunk < chunks;) {
        for (unsigned int i = 0; i < UNDER_WAY && chunk < chunks; i++) {
            if (!transfers[i].busy)
                start(&transfers[i], operation, chunk++);
        }
        if (operation == XG_BLOCK_WRITE && flush_every && chunk % flush_every == 0 && !is_flushed())
            errors++;
        if (!any_idle() && !life_until(any_idle, LONGEST))
            break;
    }
    if (!life_until(all_idle, LONGEST))
        errors++;
    life_say(operation == XG_BLOCK_WRITE ? "wrote " : "read ", life_text(chunks * CHUNK / 1024),
             " KiB in ", life_text((xg_os_time() - began) / MILLISECONDS), " ms", (char *)0);
}

/* Requests without data, over what is written next: nothing of them may show afterwards. */
static void prepare(uint64_t chunks)
{
    struct xg_block_request discard = {.operation = XG_BLOCK_DISCARD,
                                       .count = chunks * CHUNK_SECTORS};

    if (block && block->discard && chunks)
        life_check("discard", xg_block_wait(block, &discard) == 0);
}

static void tell_failures(uint64_t chunks)
{
    for (uint64_t chunk = 0; chunk < chunks; chunk++) {
        if (has_failed(chunk))
            life_say("failed: chunk ", life_text(chunk), (char *)0);
    }
}

static void tell(void)
{
    life_say(life_text(block->sectors), " sectors, ", life_text(block->queue_count), " queues, order ",
             life_text(block->ring_order), ", ", life_text(block->segments_max), " segments",
             block->persistent ? ", persistent" : "", block->flush ? ", flush" : "",
             block->barrier ? ", barrier" : "", block->discard ? ", discard" : "",
             block->read_only ? ", read-only" : "", (char *)0);
}

static void work(void)
{
    uint64_t chunks = life_number("mib=", 64) * (1048576 / CHUNK);
    bool only_read = block->read_only || life_has("written");

    if (chunks > block->sectors / CHUNK_SECTORS)
        chunks = block->sectors / CHUNK_SECTORS;
    if (chunks > CHUNKS_MAX)
        chunks = CHUNKS_MAX;
    if (!only_read) {
        prepare(chunks);
        whole_disk(XG_BLOCK_WRITE, chunks);
        tell_failures(chunks);
        if (block && block->flush)
            life_check("flush", is_flushed());
    }
    whole_disk(XG_BLOCK_READ, chunks);
    life_check("no errors", errors == 0);
    if (block && (block->device.connections > 1 || block->device.faults))
        life_say("connections ", life_text(block->device.connections), ", faults ",
                 life_text(block->device.faults), (char *)0);
    /* A disk that cannot be written holds the pattern only if somebody says so. */
    if (!only_read || life_has("written"))
        life_check("every byte as written", bad_chunks == 0);
}

int xg_run(void)
{
    xg_block_ready = ready;
    xg_block_gone = gone;
    xg_block_defaults.request_timeout = life_number("timeout=", 30) * SECONDS;
    xg_block_defaults.reconnect_timeout = 2 * xg_block_defaults.request_timeout;
    xg_block_defaults.persistent = !life_has("no-persistent");
    xg_block_defaults.flush = !life_has("no-flush");
    xg_block_defaults.discard = !life_has("no-discard");
    if (life_has("no-indirect"))
        xg_block_defaults.indirect_segments = 0;
    xg_block_defaults.queues = (uint32_t)life_number("queues=", 1);
    xg_block_defaults.ring_order = (uint32_t)life_number("ring-order=", 1);
    int error = life_start(drivers, 1);
    if (error)
        return error;
    life_check("a disk", life_until(is_ready, life_number("patience=", 30) * SECONDS));
    if (block) {
        tell();
        work();
    }
    return life_end();
}
