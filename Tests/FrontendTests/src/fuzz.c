/*
 * Fuzzer: frontend-fuzz STEPS [SEED]. Honest models of all devices run beside a hand that does one
 * random thing at each step: a request or frame of the frontend, or a write to any index, slot, page
 * or key that a backend can reach, a notification, a death, a return. The sanitizers watch memory;
 * checked besides: requests are answered once, and at the end of each life nothing is left over.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "block_model.h"
#include "net_model.h"
#include "store_model.h"
#include "xg_block.h"
#include "xg_console.h"
#include "xg_control.h"
#include "xg_event.h"
#include "xg_grant.h"
#include "xg_input.h"
#include "xg_net.h"
#include "xg_screen.h"

#define STEPS_IN_LIFE 20000u
#define REQUESTS 64u

static struct xg_block *block;
static struct xg_net *net;
static struct xg_input *input;
static struct xg_screen *screen;
static uint64_t frames, answers, reconnections;
static struct block_model disk;
static struct net_model wire;
static struct fuzz_request {
    bool busy;
    struct xg_block_request request;
    uint8_t data[64 * 512];
} requests[REQUESTS];

static void block_found(struct xg_block *found)
{
    block = found;
    reconnections++;
}

static void block_lost(struct xg_block *lost)
{
    (void)lost;
    block = 0;
}

static void receive(struct xg_net *from, const uint8_t *frame, size_t length,
                    const struct xg_net_offload *offload)
{
    uint8_t sum = 0;

    (void)from;
    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + frame[i]); /* every byte is read, so that ASan sees it */
    frames += 1 + (sum & 0) + (offload->gso_type & 0u);
    CHECK(length <= 65535 && offload->gso_type <= 2 && (!offload->gso_type || offload->gso_size));
}

static void net_found(struct xg_net *found)
{
    net = found;
    net->receive = receive;
}

static void net_lost(struct xg_net *lost)
{
    (void)lost;
    net = 0;
}

static void input_found(struct xg_input *found)
{
    input = found;
}

static void input_lost(struct xg_input *lost)
{
    (void)lost;
    input = 0;
}

static void screen_found(struct xg_screen *found)
{
    screen = found;
}

static void screen_lost(struct xg_screen *lost)
{
    (void)lost;
    screen = 0;
}

static void done(struct xg_block_request *request)
{
    struct fuzz_request *slot = request->context;

    CHECK(slot->busy);
    slot->busy = false;
    answers++;
}

static void submit(void)
{
    struct fuzz_request *slot = &requests[host_below(REQUESTS)];

    if (!block || slot->busy)
        return;
    uint32_t count = host_below(64);
    slot->request = (struct xg_block_request){
        .operation = (enum xg_block_operation)host_below(6), .sector = host_below(DISK_SECTORS + 10),
        .count = count, .data = slot->data, .done = done, .context = slot};
    slot->busy = true;
    if (xg_block_submit(block, &slot->request))
        slot->busy = false;
}

static void send(void)
{
    static uint8_t bytes[65535];
    struct xg_net_part part = {bytes, host_chance(80) ? 60 + host_below(1500) : host_below(65536)};
    struct xg_net_offload offload = {.checksum_blank = host_chance(50),
                                     .gso_type = (uint8_t)host_below(3),
                                     .gso_size = (uint16_t)host_below(3000)};
    uint8_t address[6] = {1, 2, 3, 4, 5, (uint8_t)host_below(80)};

    if (net && host_chance(95))
        xg_net_send(net, &part, 1, &offload, host_below(100));
    else if (net)
        xg_net_multicast(net, address, host_chance(60));
}

/* A 32-bit number that likes the edges. */
static uint32_t odd(uint32_t near)
{
    switch (host_below(5)) {
    case 0: return near + 1;
    case 1: return near - 1;
    case 2: return near + host_below(600);
    case 3: return (uint32_t)host_random();
    default: return host_below(2) ? 0 : UINT32_MAX;
    }
}

static void spoil_ring(struct xenabi_ring *ring)
{
    if (!ring)
        return;
    uint32_t *header = (uint32_t *)(void *)ring->shared;
    switch (host_below(5)) {
    case 0: header[host_below(4)] = odd(header[host_below(4)]); break;
    case 1: /* a response of any bytes, published as the protocol wants it */
    case 2: {
        uint8_t *slot = xenabi_ring_entry(ring, ring->produced);
        if (host_chance(70) && ring->produced == ring->consumed)
            return;
        for (uint32_t i = 0; i < ring->entry_size && i < 16; i++) {
            if (host_chance(40))
                slot[i] = (uint8_t)(host_chance(50) ? host_below(4) : host_below(256));
        }
        ring->produced++;
        xenabi_back_push(ring);
        break;
    }
    default:
        ring->entries[host_below(ring->count * ring->entry_size)] = (uint8_t)host_random();
    }
}

static void spoil_page(void *page, uint32_t words)
{
    if (page)
        ((uint32_t *)page)[host_below(words)] = odd(((uint32_t *)page)[host_below(words)]);
}

/* A key of a backend gets a value that it should not have. */
static void spoil_key(void)
{
    static const char *const keys[] = {
        "state", "sectors", "sector-size", "info", "mode", "feature-persistent", "feature-flush-cache",
        "feature-max-indirect-segments", "max-ring-page-order", "multi-queue-max-queues", "online",
        "feature-sg", "feature-rx-copy", "feature-gso-tcpv4", "feature-split-event-channels",
    };
    static const char *const values[] = {"0", "1", "2", "4", "5", "6", "7", "99999999999", "-1", "", "x",
                                         "4294967296", "18446744073709551615", "16"};
    static const char *const devices[] = {"vbd/1/51712", "vif/1/0", "vkbd/1/0", "vfb/1/0"};
    char path[128];

    snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%s", devices[host_below(4)],
             keys[host_chance(40) ? 0 : host_below(sizeof(keys) / sizeof(keys[0]))]);
    store_set(path, values[host_below(sizeof(values) / sizeof(values[0]))]);
}

static bool follow(void *context)
{
    const char *type = context;
    char front[96], back[96];

    snprintf(front, sizeof(front), HOME "/device/%s/0/state", type);
    snprintf(back, sizeof(back), "/local/domain/0/backend/%s/1/0/state", type);
    uint64_t theirs = store_get_number(front, 0), mine = store_get_number(back, 0);
    uint64_t next = theirs == 3 ? 4 : theirs == 5 ? 5 : theirs == 6 ? 6 : theirs == 1 ? 2 : mine;
    if (next == mine || host_chance(80))
        return false;
    store_set_number(back, next);
    return true;
}

static void add_device(const char *type)
{
    char path[96], text[96];

    snprintf(text, sizeof(text), "/local/domain/0/backend/%s/1/0", type);
    snprintf(path, sizeof(path), "%s/state", text);
    store_set(path, "2");
    snprintf(path, sizeof(path), HOME "/device/%s/0/backend-id", type);
    store_set(path, "0");
    snprintf(path, sizeof(path), HOME "/device/%s/0/state", type);
    store_set(path, "1");
    snprintf(path, sizeof(path), HOME "/device/%s/0/backend", type);
    store_set(path, text);
    host_add_model(follow, (void *)(uintptr_t)type);
}

static void step(void)
{
    char text[64];

    switch (host_below(32)) {
    case 0: case 1: case 2: case 3: case 4: submit(); break;
    case 5: case 6: case 7: case 8: case 9: send(); break;
    case 10: case 11: case 12: case 13: xg_os_wait(xg_os_time() + host_below(100000000)); break;
    case 14: case 15: xg_bus_poll(); break;
    case 16: case 17:
        if (host_chance(30))
            spoil_ring(block_model_ring(&disk, host_below(8)));
        break;
    case 18: case 19:
        if (host_chance(30))
            spoil_ring(net_model_ring(&wire, host_below(8), host_chance(50)));
        break;
    case 20: block_model_notify(&disk); break;
    case 21: net_model_notify(&wire); break;
    case 22:
        spoil_page(host_copy_access((grant_ref_t)store_get_number(HOME "/device/vkbd/0/page-gref", 0), 0, true),
                   host_chance(50) ? 4 : 1024);
        break;
    case 23:
        spoil_page(host_page(store_get_number(HOME "/device/vfb/0/page-ref", 0)), host_chance(50) ? 4 : 1024);
        break;
    case 24:
        if (screen)
            xg_screen_update(screen, host_below(900), host_below(700), host_below(900), host_below(700));
        break;
    case 25:
        if (host_chance(5))
            spoil_key();
        break;
    case 26:
        store_fault = (enum store_fault)host_below(12);
        store_fault_count = host_chance(3); /* one message goes wrong */
        break;
    case 27:
        if (host_chance(2))
            block_model_kill(&disk);
        else if (host_chance(10))
            block_model_revive(&disk);
        break;
    case 28:
        if (host_chance(2))
            net_model_kill(&wire);
        else if (host_chance(10))
            net_model_revive(&wire);
        break;
    case 29:
        if (host_chance(20))
            spoil_page(host_console_page, 774);
        xg_console_write("text", 4);
        break;
    case 30: xg_console_read(text, sizeof(text)); break;
    default:
        if (host_chance(1) && host_chance(10))
            host_pass(host_chance(50) ? 31000000000ull : 1000000000);
    }
}

static bool nothing_left(void *context)
{
    (void)context;
    xg_grants_retry();
    return !block && !net && !input && !screen && host_ports() == 0 &&
           xg_grants_used() == xg_grants_deferred() && host_pages_used() == xg_grants_deferred();
}

/* One life, in a process of its own. */
static void live(uint64_t seed, uint64_t steps)
{
    static const struct xg_driver *const drivers[] = {&xg_block_driver, &xg_net_driver,
                                                      &xg_input_driver, &xg_screen_driver};

    host_start(seed);
    host_check_every = 16;
    disk = (struct block_model){.id = 51712, .flush = true, .barrier = host_chance(50), .discard = true,
                                .persistent = host_chance(50), .indirect = host_chance(50) ? 32 : 0,
                                .ring_order = host_below(3), .queues = 1 + host_below(3)};
    wire = (struct net_model){.copies = true, .sg = host_chance(80), .gso4 = true, .multicast = true,
                              .split = host_chance(50), .queues = 1 + host_below(3)};
    xg_block_defaults.queues = xg_net_defaults.queues = 2;
    xg_block_defaults.pool_pages = 40;
    xg_net_defaults.tx_buffers = xg_net_defaults.rx_buffers = 60;
    xg_net_defaults.multicast = true;
    xg_screen_default_size.height = 20;
    xg_block_ready = block_found, xg_block_gone = block_lost;
    xg_net_ready = net_found, xg_net_gone = net_lost;
    xg_input_ready = input_found, xg_input_gone = input_lost;
    xg_screen_ready = screen_found, xg_screen_gone = screen_lost;
    store_can_reconnect = true;
    store_model_start();
    block_model_start(&disk);
    net_model_start(&wire);
    add_device("vkbd");
    add_device("vfb");
    CHECK(!xg_grants_start(8) && !xg_store_start() && !xg_bus_start(drivers, 4));
    CHECK(!xg_console_start(0, 0));
    while (steps--)
        step();
    /* The end: all is unplugged, and comes back but for what a backend keeps mapped. */
    store_fault_count = 0;
    block_model_remove(&disk);
    net_model_remove(&wire);
    store_remove(HOME "/device/vkbd/0");
    store_remove(HOME "/device/vfb/0");
    CHECK(host_until(nothing_left, 0, 400000000000ull));
    for (unsigned int i = 0; i < REQUESTS; i++)
        CHECK(!requests[i].busy);
}

int main(int argc, char **argv)
{
    uint64_t steps = argc > 1 ? strtoull(argv[1], 0, 10) : 200000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], 0, 10) : 1;
    uint64_t done_steps = 0;
    uint64_t totals[3] = {0};

    while (done_steps < steps) {
        uint64_t now = steps - done_steps < STEPS_IN_LIFE ? steps - done_steps : STEPS_IN_LIFE;
        int pipes[2], status = 1;
        uint64_t seen[3] = {0};
        fflush(stdout);
        if (pipe(pipes))
            return 1;
        pid_t child = fork();
        if (child == 0) {
            alarm(120);
            live(seed, now);
            seen[0] = answers, seen[1] = frames, seen[2] = reconnections;
            fflush(stdout);
            _exit(write(pipes[1], seen, sizeof(seen)) != sizeof(seen) || host_failures != 0);
        }
        close(pipes[1]);
        waitpid(child, &status, 0);
        if (status || read(pipes[0], seen, sizeof(seen)) != sizeof(seen)) {
            printf("fuzz: fails in `frontend-fuzz %llu %llu`\n", (unsigned long long)now,
                   (unsigned long long)seed);
            return 1;
        }
        close(pipes[0]);
        for (unsigned int i = 0; i < 3; i++)
            totals[i] += seen[i];
        done_steps += now;
        seed++;
    }
    printf("fuzz: %llu steps, %llu requests answered, %llu frames received, %llu connections of the disk\n",
           (unsigned long long)steps, (unsigned long long)totals[0], (unsigned long long)totals[1],
           (unsigned long long)totals[2]);
    return 0;
}
