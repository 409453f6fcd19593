/* Disks: the matrix of features, and each fault of the backend by name. */
#include <stdlib.h>
#include <string.h>

#include "store_model.h"
#include "tests.h"
#include "workload.h"
#include "xg_grant.h"

static struct block_model everything(void)
{
    return (struct block_model){.id = 51712, .flush = true, .barrier = true, .discard = true,
                                .secure = true, .persistent = true, .indirect = 64,
                                .ring_order = 2, .queues = 4};
}

static void want_everything(void)
{
    xg_block_defaults.indirect_segments = 64;
    xg_block_defaults.ring_order = 2;
    xg_block_defaults.queues = 3;
}

static bool wait_ready(void *context)
{
    return ((struct workload *)context)->block != 0;
}

/* A whole life: connect, requests, contents, removal. */
static void whole_life(struct block_model *model, unsigned int requests)
{
    struct workload workload = {.wanted = requests};

    CHECK(workload_connect(&workload, model));
    CHECK(host_until(wait_ready, &workload, 10000000000ull));
    CHECK(workload_run(&workload));
    CHECK(workload.failed == 0);
    CHECK(workload_verify(&workload));
    CHECK(model->protocol_errors == 0);
    CHECK(model->protocol_key);
    workload_end(&workload, 0);
    CHECK(host_mapped() == 0);
}

static void block_all_features(void)
{
    struct block_model model = everything();
    want_everything();
    whole_life(&model, 4000);
    CHECK(model.indirect_requests && model.flushes && model.barriers && model.discards);
    CHECK(model.queues_used == 3 && model.order_used == 2);
    CHECK(model.most_segments == 32 && model.most_mapped);
}

static void block_no_features(void)
{
    struct block_model model = {.id = 51712};
    want_everything();
    whole_life(&model, 2000);
    CHECK(!model.indirect_requests && !model.flushes && !model.barriers && !model.discards);
    CHECK(model.queues_used == 1 && model.order_used == 0 && model.most_segments <= 11);
}

/* Each feature, offered and wanted or not, in all combinations of the seven. */
static void block_feature_matrix(void)
{
    static const unsigned int features = 7;
    for (unsigned int bits = 0; bits < 1u << features; bits++) {
        if (tests_child()) {
            struct block_model model = everything();
            xg_block_defaults.flush = bits & 1;
            xg_block_defaults.barrier = bits & 2;
            xg_block_defaults.discard = bits & 4;
            xg_block_defaults.persistent = bits & 8;
            xg_block_defaults.indirect_segments = bits & 16 ? 32 : 0;
            xg_block_defaults.ring_order = bits & 32 ? 2 : 0;
            xg_block_defaults.queues = bits & 64 ? 4 : 1;
            whole_life(&model, 120);
            CHECK((model.flushes != 0) <= (bits & 1) && (model.most_mapped != 0) == !!(bits & 8));
            CHECK(!(model.barriers && !(bits & 2)) && !(model.discards && !(bits & 4)));
            CHECK(!(model.indirect_requests && !(bits & 16)));
            CHECK((model.order_used == 2) == !!(bits & 32) && (model.queues_used == 4) == !!(bits & 64));
            tests_child_end();
        }
    }
}

static void block_old_ring_pages_key(void)
{
    struct block_model model = everything();
    want_everything();
    model.odd_key = "max-ring-page-order"; /* absent, in effect */
    model.odd_value = "none";
    whole_life(&model, 300);
    CHECK(model.order_used == 0);
}

static void block_read_only(void)
{
    struct block_model model = everything();
    struct workload workload = {.wanted = 0};
    uint8_t data[512];
    struct xg_block_request request = {.operation = XG_BLOCK_WRITE, .count = 1, .data = data};

    model.read_only = true;
    CHECK(workload_connect(&workload, &model));
    CHECK(host_until(wait_ready, &workload, 10000000000ull));
    CHECK(workload.block->read_only);
    CHECK(xg_block_wait(workload.block, &request) == -XEN_EROFS);
    request.operation = XG_BLOCK_DISCARD;
    CHECK(xg_block_wait(workload.block, &request) == -XEN_EROFS);
    request.operation = XG_BLOCK_READ;
    CHECK(xg_block_wait(workload.block, &request) == 0);
    CHECK(workload_verify(&workload));
    CHECK(model.protocol_errors == 0);
    workload_end(&workload, 0);
}

static void block_refuses_bad_requests(void)
{
    struct block_model model = everything();
    struct workload workload = {.wanted = 0};
    uint8_t data[512];
    struct xg_block_request request = {.operation = XG_BLOCK_READ, .data = data};

    CHECK(workload_connect(&workload, &model));
    CHECK(host_until(wait_ready, &workload, 10000000000ull));
    CHECK(xg_block_wait(workload.block, &request) == -XEN_EINVAL);
    request.count = 1;
    request.sector = DISK_SECTORS;
    CHECK(xg_block_wait(workload.block, &request) == -XEN_EINVAL);
    request.sector = UINT64_MAX;
    CHECK(xg_block_wait(workload.block, &request) == -XEN_EINVAL);
    request.sector = 0;
    request.count = UINT64_MAX;
    CHECK(xg_block_wait(workload.block, &request) == -XEN_EINVAL);
    CHECK(model.requests == 0);
    workload_end(&workload, 0);
}

static struct xg_block *disks[4];
static unsigned int disk_count;

static void collect(struct xg_block *block)
{
    disks[disk_count++ % 4] = block;
}

static bool three(void *context)
{
    (void)context;
    return disk_count == 3;
}

static void block_several_disks(void)
{
    static struct block_model models[3];
    static const struct xg_driver *const drivers[] = {&xg_block_driver};
    uint8_t out[4096], in[4096];

    xg_block_ready = collect;
    store_model_start();
    for (uint32_t i = 0; i < 3; i++) {
        models[i] = everything();
        models[i].id = 51712 + 16 * i;
        block_model_start(&models[i]);
    }
    CHECK(!xg_grants_start(32) && !xg_store_start() && !xg_bus_start(drivers, 1));
    CHECK(host_until(three, 0, 10000000000ull));
    for (uint32_t i = 0; i < 3; i++) {
        memset(out, (int)disks[i]->device.id, sizeof(out));
        struct xg_block_request request = {.operation = XG_BLOCK_WRITE, .sector = 8, .count = 8, .data = out};
        CHECK(xg_block_wait(disks[i], &request) == 0);
    }
    for (uint32_t i = 0; i < 3; i++) {
        memset(out, (int)disks[i]->device.id, sizeof(out));
        struct xg_block_request request = {.operation = XG_BLOCK_READ, .sector = 8, .count = 8, .data = in};
        CHECK(xg_block_wait(disks[i], &request) == 0 && memcmp(in, out, sizeof(in)) == 0);
    }
    xg_bus_stop();
    CHECK(xg_grants_used() == xg_grants_deferred());
    for (unsigned int i = 0; i < 50; i++)
        host_run(10), xg_grants_retry();
    CHECK(xg_grants_used() == 0 && host_mapped() == 0);
}

static bool larger(void *context)
{
    return ((struct workload *)context)->block->sectors == DISK_SECTORS * 2;
}

static void block_grows(void)
{
    struct block_model model = everything();
    struct workload workload = {.wanted = 0};
    uint8_t data[512];
    struct xg_block_request request = {
        .operation = XG_BLOCK_WRITE, .sector = DISK_SECTORS, .count = 1, .data = data};

    CHECK(workload_connect(&workload, &model));
    CHECK(host_until(wait_ready, &workload, 10000000000ull));
    CHECK(xg_block_wait(workload.block, &request) == -XEN_EINVAL);
    block_model_resize(&model, DISK_SECTORS * 2);
    CHECK(host_until(larger, &workload, 10000000000ull));
    CHECK(xg_block_wait(workload.block, &request) == 0);
    workload_end(&workload, 0);
}

/* The pool is nearly empty, and requests are large: all comes through, piece by piece. */
static void block_few_pages(void)
{
    struct block_model model = everything();
    xg_block_defaults.pool_pages = 3;
    whole_life(&model, 400);
}

/* The backend dies with requests under way and returns with other features: none is lost, none is
 * answered twice, and pieces that no longer fit are cut anew. */
static void block_kill_and_revive(void)
{
    struct block_model model = everything();
    struct workload workload = {.wanted = 300};

    want_everything();
    CHECK(workload_connect(&workload, &model));
    CHECK(host_until(wait_ready, &workload, 10000000000ull));
    for (unsigned int life = 0; life < 12; life++) {
        workload.wanted += 200;
        workload_submit(&workload);
        host_run(2); /* some are answered, others under way, the rest waits */
        CHECK(workload.finished < workload.submitted);
        block_model_kill(&model);
        CHECK(host_mapped() == 0);
        for (unsigned int i = 0; i < 10; i++) {
            xg_os_wait(xg_os_time() + 1000);
            xg_bus_poll();
        }
        model.persistent = life % 3 != 1;
        model.indirect = life % 2 ? 0 : 64; /* pieces must be cut anew */
        model.ring_order = life % 3;
        model.queues = 1 + life % 4;
        model.barrier = life % 2;
        block_model_revive(&model);
        CHECK(workload_run(&workload));
    }
    CHECK(workload.failed == 0);
    CHECK(workload_verify(&workload));
    CHECK(model.protocol_errors == 0);
    CHECK(model.connects == 13);
    workload_end(&workload, 0);
}

/* What a fault may cost. */
enum cost { NOTHING, SOME_FAIL, ALL_MAY_FAIL };

static const struct expectation {
    enum block_fault fault;
    enum cost cost;
    unsigned int count;     /* times that it strikes */
    bool reconnects;
} expectations[] = {
    {BLOCK_WRONG_ID, NOTHING, 1, true},
    {BLOCK_HUGE_ID, NOTHING, 1, true},
    {BLOCK_OLD_SERIAL, NOTHING, 1, true},
    {BLOCK_DOUBLED, NOTHING, 1, true},
    {BLOCK_DROPPED, NOTHING, 1, true},
    {BLOCK_LATE, NOTHING, 1, false},
    {BLOCK_INDEX_AHEAD, NOTHING, 1, true},
    {BLOCK_INDEX_BACK, NOTHING, 1, true},
    {BLOCK_WRONG_OPERATION, NOTHING, 1, true},
    {BLOCK_UNKNOWN_STATUS, SOME_FAIL, 3, false},
    {BLOCK_ERROR, SOME_FAIL, 3, false},
    {BLOCK_UNSUPPORTED, SOME_FAIL, 25, false},
    {BLOCK_SCRIBBLED_HEADER, NOTHING, 3, false},
    {BLOCK_SCRIBBLED_SLOTS, ALL_MAY_FAIL, 1, false},
    {BLOCK_SCRIBBLED_DATA, SOME_FAIL, 3, false},
    {BLOCK_KEEPS_DATA_MAPPED, NOTHING, 5, false},
    {BLOCK_NO_EVENTS, NOTHING, 60, false},
    {BLOCK_EVENT_STORM, NOTHING, 20, false},
    {BLOCK_VANISHES, NOTHING, 4, true},
    {BLOCK_CLOSES, NOTHING, 4, true},
    {BLOCK_RESTARTS, NOTHING, 4, true},
    {BLOCK_STATE_DANCE, NOTHING, 1, false},
};

static void fault_once(const struct expectation *expected, uint64_t seed)
{
    struct block_model model = everything();
    struct workload workload = {.wanted = 600};
    bool keeps = expected->fault == BLOCK_KEEPS_DATA_MAPPED;

    host_start(seed);
    want_everything();
    model.fault = expected->fault;
    model.fault_after = keeps ? 0 : 100;
    model.fault_count = expected->count;
    model.persistent = seed % 2 && !keeps;
    CHECK(workload_connect(&workload, &model));
    CHECK(host_until(wait_ready, &workload, 10000000000ull));
    CHECK(workload_run(&workload));
    CHECK(model.struck > 0);
    CHECK(workload.wrong_data == 0);
    CHECK(workload.failed == 0 || expected->cost != NOTHING);
    CHECK(expected->cost != SOME_FAIL || workload.failed <= expected->count * 2);
    CHECK(!expected->reconnects || model.connects > 1);
    if (workload.block)
        CHECK(workload_verify(&workload));
    workload_end(&workload, keeps ? model.struck : 0);
    CHECK(host_mapped() == (keeps ? model.struck : 0));
}

static void block_faults(void)
{
    for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++) {
        for (uint64_t seed = 1; seed <= 4; seed++) {
            if (tests_child_named("block fault", block_fault_name(expectations[i].fault), seed)) {
                fault_once(&expectations[i], seed);
                tests_child_end();
            }
        }
    }
}

/* A backend that breaks every answer: each request fails after its tries, and none hangs. */
static void block_always_wrong(void)
{
    struct block_model model = everything();
    struct workload workload = {.wanted = 20, .most_sectors = 16};

    model.fault = BLOCK_WRONG_ID;
    model.fault_count = 1000000;
    CHECK(workload_connect(&workload, &model));
    CHECK(host_until(wait_ready, &workload, 10000000000ull));
    CHECK(workload_run(&workload));
    CHECK(workload.failed == workload.submitted && workload.failed > 10);
    workload_end(&workload, 0);
}

static void block_never_connects(void)
{
    struct block_model model = everything();
    struct workload workload = {.wanted = 30};

    CHECK(workload_connect(&workload, &model));
    CHECK(host_until(wait_ready, &workload, 10000000000ull));
    model.fault = BLOCK_NEVER_CONNECTS;
    block_model_kill(&model);
    block_model_revive(&model);
    CHECK(workload_run(&workload)); /* ends with errors, after the time that was set */
    CHECK(workload.failed == workload.submitted && workload.failed);
    workload_end(&workload, 0);
}

static void block_stuck_closing(void)
{
    struct block_model model = everything();
    struct workload workload = {.wanted = 30};

    model.fault = BLOCK_STUCK_CLOSING;
    CHECK(workload_connect(&workload, &model));
    CHECK(host_until(wait_ready, &workload, 10000000000ull));
    xg_device_fault(&workload.block->device, "the test");
    CHECK(workload_run(&workload));
    CHECK(workload.failed == workload.submitted && workload.failed);
    workload_end(&workload, 0);
}

static void block_unplugged_under_load(void)
{
    struct block_model model = everything();
    struct workload workload = {.wanted = 40};

    model.fault = BLOCK_DROPPED; /* all of it stays under way */
    model.fault_count = 1000;
    CHECK(workload_connect(&workload, &model));
    CHECK(host_until(wait_ready, &workload, 10000000000ull));
    for (unsigned int i = 0; i < 3; i++)
        xg_bus_poll();
    block_model_remove(&model);
    CHECK(workload_run(&workload));
    workload_end(&workload, 0);
}

/* A ring that the backend does not let go of at its end costs its pages, and nothing else. */
static void block_keeps_ring(void)
{
    struct block_model model = everything();
    struct workload workload = {.wanted = 100};

    model.fault = BLOCK_KEEPS_RING_MAPPED;
    model.fault_count = 1;
    CHECK(workload_connect(&workload, &model));
    CHECK(host_until(wait_ready, &workload, 10000000000ull));
    CHECK(workload_run(&workload) && workload.failed == 0);
    workload_end(&workload, 2);
    CHECK(host_mapped() == 2);
}

/* Properties that cannot be. */
static void block_odd_properties(void)
{
    static const struct {
        const char *key, *value;
        bool usable;
    } odd[] = {
        {"sectors", "0", false},
        {"sectors", "-5", false},
        {"sectors", "99999999999999999999999", false},
        {"sectors", "36028797018963968", false},
        {"sectors", "many", false},
        {"sector-size", "4096", false},
        {"sector-size", "0", false},
        {"max-ring-page-order", "99999999", true},
        {"max-ring-page-order", "-1", true},
        {"multi-queue-max-queues", "0", true},
        {"multi-queue-max-queues", "4294967297", true},
        {"feature-max-indirect-segments", "4294967295", true},
        {"feature-max-indirect-segments", "1", true},
        {"feature-persistent", "yes", true},
        {"info", "4294967296", true},
        {"discard-granularity", "0", true},
    };
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        if (tests_child_named("block property", odd[i].key, i)) {
            struct block_model model = everything();
            struct workload workload = {.wanted = 200};
            model.odd_key = odd[i].key;
            model.odd_value = odd[i].value;
            model.persistent = false;
            model.indirect = 512;
            model.queues = 8;
            model.ring_order = 4;
            want_everything();
            CHECK(workload_connect(&workload, &model));
            CHECK(host_until(wait_ready, &workload, 5000000000ull) == odd[i].usable);
            if (odd[i].usable) {
                CHECK(workload_run(&workload) && workload.failed == 0);
                CHECK(workload_verify(&workload) && model.protocol_errors == 0);
                workload_end(&workload, 0);
            } else {
                CHECK(model.requests == 0);
            }
            tests_child_end();
        }
    }
}

/* Memory runs out at each point of connecting: an error, nothing lost, and later it works. */
static void block_memory_runs_out(void)
{
    for (size_t pages = 0; pages < 12; pages++) {
        if (tests_child()) {
            struct block_model model = everything();
            struct workload workload = {.wanted = 50, .most_sectors = 16};
            want_everything();
            CHECK(workload_connect(&workload, &model));
            host_limit(host_pages_used() + pages, SIZE_MAX);
            host_until(wait_ready, &workload, 100000000);
            host_limit(SIZE_MAX, SIZE_MAX);
            block_model_kill(&model);
            block_model_revive(&model);
            if (host_until(wait_ready, &workload, 10000000000ull)) {
                CHECK(workload_run(&workload) && workload.failed == 0);
                workload_end(&workload, 0);
            }
            tests_child_end();
        }
    }
}

const struct test block_tests[] = {
    {"block: all features, 4,000 requests, contents", block_all_features},
    {"block: a backend that offers nothing", block_no_features},
    {"block: every combination of seven features", block_feature_matrix},
    {"block: a page order that is no number", block_old_ring_pages_key},
    {"block: read-only", block_read_only},
    {"block: requests outside the disk are refused", block_refuses_bad_requests},
    {"block: three disks", block_several_disks},
    {"block: the disk grows in use", block_grows},
    {"block: three pages for everything", block_few_pages},
    {"block: killed and revived twelve times with other features", block_kill_and_revive},
    {"block: faults by name", block_faults},
    {"block: every answer is wrong", block_always_wrong},
    {"block: never connects again", block_never_connects},
    {"block: never closes", block_stuck_closing},
    {"block: unplugged under load", block_unplugged_under_load},
    {"block: keeps the ring mapped", block_keeps_ring},
    {"block: impossible properties", block_odd_properties},
    {"block: memory runs out while connecting", block_memory_runs_out},
    {0, 0},
};
