/*
 * test: front-bench
 * What a disk and a network cost: a guest times 4 KiB requests at random places and 1 MiB requests in
 * a row on its first disk, which it overwrites, and frames of 1500 bytes sent to a station that
 * nobody has, so that they leave the machine. Each row is nanoseconds for one request or frame, by
 * the guest's own clock. Command line: requests=N, mib=N for the rows of 1 MiB, frames=N, depth=N
 * requests under way; 0 leaves rows out.
 */
#include "front.h"

#include "xg_block.h"
#include "xg_net.h"

#define LARGE 1048576u
#define SMALL 4096u
#define MOST 32u

static struct xg_block *block;
static struct xg_net *net;
static uint64_t errors;

static struct transfer {
    struct xg_block_request request;
} transfers[MOST];
static unsigned int under_way;
static uint8_t data[8 * LARGE] __attribute__((aligned(XEN_PAGE_SIZE)));

static void block_ready(struct xg_block *found)
{
    if (!block)
        block = found;
}

static void net_ready(struct xg_net *found)
{
    if (!net)
        net = found;
}

static bool are_ready(void) { return block && net; }

/* The row that is measured. */
static enum xg_block_operation operation;
static uint32_t size;
static uint64_t issued, count, places;
static bool in_a_row;

static bool is_idle(void) { return under_way == 0; }

/* The same places on every run. */
static uint64_t next_random(void)
{
    static uint64_t state = 1;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state >> 33;
}

static void done(struct xg_block_request *request);

static void issue(struct transfer *transfer)
{
    uint64_t place = (in_a_row ? issued : next_random()) % places;

    issued++;
    transfer->request = (struct xg_block_request){
        .operation = operation, .sector = place * (size / XG_SECTOR), .count = size / XG_SECTOR,
        .data = data + (size_t)(transfer - transfers) * size, .done = done, .context = transfer};
    under_way++;
    if (xg_block_submit(block, &transfer->request)) {
        under_way--;
        errors++;
    }
}

/* The next one goes at once, so that as many as the row says are under way all the time. */
static void done(struct xg_block_request *request)
{
    under_way--;
    if (request->result)
        errors++;
    if (issued < count)
        issue(request->context);
}

static void tell(const char *row, uint64_t time, uint64_t number)
{
    life_say("bench: ", row, " ", life_text(time / number), (char *)0);
}

static void run(const char *row, enum xg_block_operation what, uint32_t bytes, uint64_t number,
                bool is_in_a_row)
{
    unsigned int depth = bytes == LARGE ? 4 : (unsigned int)life_number("depth=", 16);
    uint64_t began = system_time();

    operation = what;
    size = bytes;
    issued = 0;
    count = number;
    in_a_row = is_in_a_row;
    places = block->sectors * XG_SECTOR / size;
    if (!count || !places)
        return;
    for (unsigned int i = 0; i < depth && i < MOST && issued < count; i++)
        issue(&transfers[i]);
    if (!life_until(is_idle, 60 * SECONDS))
        errors++;
    tell(row, system_time() - began, count);
}

/* Sent, and answered by the backend. */
static uint64_t wanted;

static bool is_sent(void) { return net->sent + net->send_errors + net->lost >= wanted; }

static void send_frames(uint64_t frames)
{
    static uint8_t frame[1514] = {0x02, 0, 0, 0, 0, 0x77};
    struct xg_net_part part = {frame, sizeof(frame)};
    uint64_t began = system_time();

    if (!frames)
        return;
    memcpy(frame + 6, net->mac, 6);
    frame[12] = 0x88; /* a protocol for experiments (IEEE 802, 88b5) */
    frame[13] = 0xb5;
    for (uint64_t i = 0; i < frames;) {
        int result = xg_net_send(net, &part, 1, 0, 0);
        if (result == -XEN_EAGAIN) {
            wanted = net->sent + net->send_errors + net->lost + 32;
            if (!life_until(is_sent, 60 * SECONDS))
                break;
        } else if (result) {
            errors++;
            break;
        } else {
            i++;
        }
    }
    wanted = frames;
    if (!life_until(is_sent, 60 * SECONDS) || net->send_errors || net->lost)
        errors++;
    tell("net-send-1500", system_time() - began, frames);
}

void test_main(void)
{
    static const struct xg_driver *const drivers[] = {&xg_block_driver, &xg_net_driver};
    uint64_t requests = life_number("requests=", 4000), mib = life_number("mib=", 128);

    xg_block_ready = block_ready;
    xg_net_ready = net_ready;
    xg_block_defaults.ring_order = 2;
    xg_block_defaults.indirect_segments = 256;
    xg_block_defaults.pool_pages = 1280;
    front_start(drivers, 2);
    life_check("a disk and an interface", life_until(are_ready, 60 * SECONDS));
    if (!are_ready())
        front_end(life_end());
    life_say(life_text(block->sectors), " sectors, order ", life_text(block->ring_order), ", ",
        life_text(block->segments_max), " segments", block->persistent ? ", persistent" : "",
        (char *)0);
    run("block-write-1m", XG_BLOCK_WRITE, LARGE, mib, true);
    run("block-read-1m", XG_BLOCK_READ, LARGE, mib, true);
    run("block-write-4k", XG_BLOCK_WRITE, SMALL, requests, false);
    run("block-read-4k", XG_BLOCK_READ, SMALL, requests, false);
    send_frames(life_number("frames=", 8000));
    life_check("no errors", errors == 0);
    front_end(life_end());
}
