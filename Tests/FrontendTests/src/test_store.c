/* Xenstore's client: what it can, and each fault of the daemon by name. */
#include <string.h>

#include "store_model.h"
#include "tests.h"
#include "xg_event.h"
#include "xg_store.h"

static unsigned int fired;

static void changed(void *context)
{
    (void)context;
    fired++;
}

static bool start(void)
{
    store_model_start();
    return xg_store_start() == 0;
}

static void store_reads_and_writes(void)
{
    static char large[2001], back[4097];
    char text[32];

    CHECK(start());
    CHECK(xg_store_read(0, "nothing", text, sizeof(text)) == -XEN_ENOENT);
    CHECK(xg_store_write(0, "a/b", "value") == 0);
    CHECK(xg_store_read(0, "a/b", text, sizeof(text)) == 5 && strcmp(text, "value") == 0);
    CHECK(strcmp(store_get(HOME "/a/b"), "value") == 0);
    CHECK(xg_store_read(0, "a/b", text, 5) == -XEN_E2BIG);
    CHECK(xg_store_write(0, "a/b", "") == 0);
    CHECK(xg_store_read(0, "a/b", text, sizeof(text)) == 0 && text[0] == 0);
    CHECK(xg_store_mkdir(0, "a/c") == 0);
    CHECK(xg_store_list(0, "a", text, sizeof(text)) == 4 && memcmp(text, "b\0c", 4) == 0);
    CHECK(xg_store_get_permissions(0, "a", text, sizeof(text)) == 6);
    CHECK(xg_store_set_permissions(0, "a", "n1\0r0", 6) == 0);
    CHECK(xg_store_remove(0, "a") == 0 && xg_store_remove(0, "a") == -XEN_ENOENT);
    /* Longer than the ring, both ways. */
    memset(large, 'x', 2000);
    CHECK(xg_store_write(0, "large", large) == 0);
    CHECK(xg_store_read(0, "large", back, sizeof(back)) == 2000 && strcmp(large, back) == 0);
    CHECK(xg_store_write_number(0, "a", "n", UINT64_MAX) == 0);
    CHECK(xg_store_number("a", "n", 0) == UINT64_MAX);
    CHECK(xg_store_write(0, "a/n", "18446744073709551616") == 0); /* one too many */
    CHECK(xg_store_number("a", "n", 7) == 7);
    CHECK(xg_store_write(0, "a/n", "-1") == 0 && xg_store_number("a", "n", 7) == 7);
}

static void store_refuses_what_is_too_long(void)
{
    static char large[5000];

    CHECK(start());
    memset(large, 'x', sizeof(large) - 1);
    CHECK(xg_store_write(0, "large", large) == -XEN_E2BIG);
    CHECK(xg_store_write(0, "a", "b") == 0);
}

static void store_transactions(void)
{
    uint32_t transaction, other;
    char text[32];

    CHECK(start());
    CHECK(xg_store_begin(&transaction) == 0);
    CHECK(xg_store_write(transaction, "x", "1") == 0);
    CHECK(xg_store_read(0, "x", text, sizeof(text)) == -XEN_ENOENT);
    CHECK(xg_store_read(transaction, "x", text, sizeof(text)) == 1);
    CHECK(xg_store_commit(transaction) == 0);
    CHECK(xg_store_read(0, "x", text, sizeof(text)) == 1);
    CHECK(xg_store_begin(&transaction) == 0 && xg_store_begin(&other) == 0);
    CHECK(xg_store_write(transaction, "x", "2") == 0 && xg_store_write(other, "x", "3") == 0);
    CHECK(xg_store_commit(transaction) == 0 && xg_store_commit(other) == -XEN_EAGAIN);
    CHECK(xg_store_read(0, "x", text, sizeof(text)) == 1 && text[0] == '2');
    CHECK(xg_store_begin(&transaction) == 0 && xg_store_write(transaction, "x", "4") == 0);
    CHECK(xg_store_abort(transaction) == 0);
    CHECK(xg_store_read(0, "x", text, sizeof(text)) == 1 && text[0] == '2');
    CHECK(xg_store_write(99, "x", "5") == -XEN_ENOENT);
}

static void store_watches(void)
{
    struct xg_watch one = {.path = "dir", .changed = changed};
    struct xg_watch two = {.path = "other", .changed = changed};

    CHECK(start());
    CHECK(xg_store_watch(&one) == 0 && xg_store_watch(&two) == 0);
    host_run(10), xg_store_run_watches();
    CHECK(fired == 2); /* at once */
    store_set(HOME "/dir/below", "1");
    host_run(10), xg_store_run_watches();
    CHECK(fired == 3);
    store_set(HOME "/dirt", "1"); /* not below */
    host_run(10), xg_store_run_watches();
    CHECK(fired == 3);
    for (unsigned int i = 0; i < 5000; i++)
        store_set_number(HOME "/dir/below", i); /* as one */
    host_run(1000), xg_store_run_watches();
    CHECK(fired == 4);
    xg_store_unwatch(&one);
    CHECK(store_watch_count() == 1);
    store_set(HOME "/dir/below", "1");
    host_run(10), xg_store_run_watches();
    CHECK(fired == 4);
    xg_store_unwatch(&two);
    CHECK(store_watch_count() == 0);
}

static const struct {
    const char *name;
    enum store_fault fault;
    unsigned int count;
    bool answered; /* the request gets its answer all the same */
    bool lives;    /* and so does the next */
} faults[] = {
    {"wrong-request-id", STORE_WRONG_REQUEST_ID, 1, true, true},
    {"wrong-type", STORE_WRONG_TYPE, 1, true, true},
    {"doubled-answer", STORE_DOUBLED, 1, true, true},
    {"too-long", STORE_TOO_LONG, 1, false, false},
    {"impossible-index", STORE_INDEX, 1, false, false},
    {"silent", STORE_SILENT, 1, false, true},
    {"unknown-token", STORE_UNKNOWN_TOKEN, 1, true, true},
    {"watch-flood", STORE_WATCH_FLOOD, 1, true, true},
    {"watch-without-token", STORE_WATCH_WITHOUT_TOKEN, 1, true, true},
    {"odd-error", STORE_ODD_ERROR, 1, false, true},
};

static void fault_once(size_t index, bool can_reconnect)
{
    struct xg_watch watch = {.path = "dir", .changed = changed};
    char text[32] = "";
    bool lives = faults[index].lives;

    store_can_reconnect = can_reconnect;
    CHECK(start());
    store_set(HOME "/key", "value");
    CHECK(xg_store_watch(&watch) == 0);
    store_fault = faults[index].fault;
    store_fault_count = faults[index].count;
    int result = xg_store_read(0, "key", text, sizeof(text));
    CHECK((result == 5 && strcmp(text, "value") == 0) == faults[index].answered);
    CHECK(faults[index].answered || result < 0);
    CHECK(store_fault_count == 0);
    fired = 0;
    /* After a daemon has broken the protocol the client is only good again where the daemon can. */
    lives |= can_reconnect && faults[index].fault == STORE_TOO_LONG;
    lives |= can_reconnect && faults[index].fault == STORE_INDEX;
    for (unsigned int i = 0; i < 3; i++)
        result = xg_store_read(0, "key", text, sizeof(text));
    CHECK((result == 5) == lives);
    if (lives) {
        store_set(HOME "/dir", "1");
        host_run(2000), xg_store_run_watches();
        CHECK(fired > 0);
    }
}

static void store_faults(void)
{
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
        for (unsigned int can = 0; can < 2; can++) {
            if (tests_child_named("store fault", faults[i].name, can)) {
                fault_once(i, can);
                tests_child_end();
            }
        }
    }
}

/* Watches that fire without end: each run is bounded, and the rest goes on. */
static struct xg_watch endless = {.path = "endless"};

static void again(void *context)
{
    (void)context;
    fired++;
    xg_store_fire(&endless);
}

static void store_endless_watch(void)
{
    CHECK(start());
    endless.changed = again;
    CHECK(xg_store_watch(&endless) == 0);
    host_run(10), xg_store_run_watches();
    CHECK(fired >= 1 && fired <= 64);
}

static void store_impossible_page(void)
{
    store_model_start();
    host_store_page->rsp_prod = 5000;
    CHECK(xg_store_start() == -XEN_EIO);
    CHECK(xg_store_write(0, "a", "b") == -XEN_EIO);
}

const struct test store_tests[] = {
    {"store: reads, writes, lists, long values", store_reads_and_writes},
    {"store: refuses what is too long", store_refuses_what_is_too_long},
    {"store: transactions, conflicts", store_transactions},
    {"store: watches", store_watches},
    {"store: faults by name", store_faults},
    {"store: a watch that fires without end", store_endless_watch},
    {"store: impossible indexes at the start", store_impossible_page},
    {0, 0},
};
