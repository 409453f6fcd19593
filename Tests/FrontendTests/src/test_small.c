/* Grants, events, console, control, balloon, keyboard, screen; suspend with disk and network in use. */
#include <stdlib.h>
#include <string.h>

#include "net_model.h"
#include "store_model.h"
#include "tests.h"
#include "workload.h"
#include "xg_balloon.h"
#include "xg_console.h"
#include "xg_control.h"
#include "xg_event.h"
#include "xg_grant.h"
#include "xg_input.h"
#include "xg_net.h"
#include "xg_screen.h"

static void grants_end_and_return(void)
{
    void *page = 0, *mapped = 0;

    CHECK(xg_grants_start(1) == 0);
    page = xg_os_pages(1);
    grant_ref_t reference = xg_grant(3, page, true);
    CHECK(reference >= 8);
    CHECK(!host_map(reference, 4, false) && !host_map(reference, 3, true));
    mapped = host_map(reference, 3, false);
    CHECK(mapped == page);
    CHECK(!xg_grant_end(reference, page));
    CHECK(xg_grants_used() == 1 && xg_grants_deferred() == 1);
    /* A reference that is still mapped is given to nobody. */
    for (unsigned int i = 0; i < 503; i++) {
        grant_ref_t other = xg_grant(3, host_console_page, false);
        CHECK(other != XG_NO_GRANT && other != reference);
    }
    CHECK(xg_grant(3, host_console_page, false) == XG_NO_GRANT);
    xg_grants_retry();
    CHECK(xg_grants_deferred() == 1 && host_pages_used() == 1);
    host_unmap(reference, false);
    xg_grants_retry();
    CHECK(xg_grants_deferred() == 0 && host_pages_used() == 0);
    CHECK(xg_grant(3, host_console_page, false) == reference);
}

static unsigned int delivered;

static void count_event(void *context)
{
    (void)context;
    delivered++;
}

static void events_many_ports(void)
{
    evtchn_port_t ports[XG_PORTS], one_more;

    for (unsigned int i = 0; i < XG_PORTS; i++)
        CHECK(xg_event_open(0, count_event, 0, &ports[i]) == 0);
    CHECK(xg_event_open(0, count_event, 0, &one_more) == -XEN_ENOSPC);
    CHECK(xg_event_attach(ports[3], count_event, 0) == -XEN_EINVAL);
    delivered = 0;
    for (unsigned int i = 0; i < XG_PORTS; i++)
        xg_event_deliver(ports[i]);
    CHECK(delivered == XG_PORTS);
    for (unsigned int i = 0; i < XG_PORTS; i += 2)
        xg_event_close(ports[i], true);
    for (unsigned int i = 0; i < XG_PORTS; i++)
        xg_event_deliver(ports[i]); /* late events of closed ports */
    xg_event_deliver(0);
    xg_event_deliver(UINT32_MAX);
    CHECK(delivered == XG_PORTS + XG_PORTS / 2 && xg_event_count() == XG_PORTS / 2);
    CHECK(host_ports() == XG_PORTS / 2);
}

/* Console. */

static void console_both_ways(void)
{
    struct xencons_interface *page = host_console_page;
    char text[3000], back[16];

    CHECK(xg_console_start(count_event, 0) == 0);
    memset(text, 'a', sizeof(text));
    CHECK(xg_console_write(text, sizeof(text)) == 2048);
    CHECK(xg_console_write(text, 1) == 0);
    CHECK(host_port_take(HOST_CONSOLE_PORT));
    page->out_cons += 100;
    CHECK(xg_console_write("0123456789", 10) == 10);
    CHECK(memcmp(page->out, "0123456789", 10) == 0 && page->out_prod == 2058);
    memcpy(page->in, "typed", 5);
    page->in_prod = 5;
    host_port_notify(HOST_CONSOLE_PORT);
    host_run(5);
    CHECK(delivered == 1);
    CHECK(xg_console_read(back, sizeof(back)) == 5 && memcmp(back, "typed", 5) == 0);
    CHECK(xg_console_read(back, sizeof(back)) == 0 && page->in_cons == 5);
    CHECK(xg_console_write_all(text, 3000, xg_os_time() + 1000000000) == -XEN_ETIMEDOUT);
}

static void console_impossible_out(void)
{
    CHECK(xg_console_start(0, 0) == 0);
    host_console_page->out_cons = 7; /* more than was written */
    CHECK(xg_console_write("a", 1) == -XEN_EIO);
    host_console_page->out_cons = 0;
    CHECK(xg_console_write("a", 1) == -XEN_EIO); /* for good */
}

static void console_impossible_in(void)
{
    char text[2048];

    CHECK(xg_console_start(0, 0) == 0);
    host_console_page->in_prod = 1025;
    CHECK(xg_console_read(text, sizeof(text)) == -XEN_EIO);
}

/* Control. */

static const struct xg_control_options obey = {.poweroff = true, .reboot = true, .suspend = true};

static void poll_some(unsigned int count)
{
    for (unsigned int i = 0; i < count; i++) {
        xg_os_wait(xg_os_time() + 1000);
        xg_store_run_watches();
    }
}

static void control_requests(void)
{
    store_model_start();
    CHECK(xg_store_start() == 0 && xg_control_start(&obey) == 0);
    CHECK(store_get_number(HOME "/control/feature-reboot", 0) == 1);
    poll_some(10);
    CHECK(host_shutdown_reason == 255);
    store_set(HOME "/control/shutdown", "dance");
    poll_some(10);
    CHECK(host_shutdown_reason == 255 && store_get(HOME "/control/shutdown")[0] == 0);
    store_set(HOME "/control/shutdown", "reboot");
    poll_some(10);
    CHECK(host_shutdown_reason == SHUTDOWN_reboot && store_get(HOME "/control/shutdown")[0] == 0);
    store_fault = STORE_EAGAIN; /* conflicts: the transaction is repeated */
    store_fault_count = 5;
    store_set(HOME "/control/shutdown", "poweroff");
    poll_some(20);
    CHECK(host_shutdown_reason == SHUTDOWN_poweroff && store_fault_count == 0);
    host_shutdown_reason = 255;
    store_fault_count = 1000000; /* for ever: given up, not looped */
    store_set(HOME "/control/shutdown", "reboot");
    poll_some(20);
    CHECK(host_shutdown_reason == 255 && store_fault_count > 999900);
}

/* Suspend and resume in a new domain, in the middle of requests and frames. */

static struct xg_net *net_found;
static unsigned int frames_back;

static void net_receive(struct xg_net *net, const uint8_t *frame, size_t length,
                        const struct xg_net_offload *offload)
{
    (void)net, (void)frame, (void)offload;
    frames_back += length == 500;
}

static void net_ready(struct xg_net *net)
{
    net->receive = net_receive;
    net_found = net;
}

static struct xg_block *block_found;
static unsigned int answers, bad_answers;
static uint8_t blocks[64][4096];
static struct xg_block_request requests[64];

static void block_ready(struct xg_block *block)
{
    block_found = block;
}

static void answered(struct xg_block_request *request)
{
    answers++;
    bad_answers += request->result != 0;
}

static bool both_up(void *context)
{
    (void)context;
    return block_found && net_found && block_found->device.phase == XG_RUNNING &&
           net_found->device.phase == XG_RUNNING;
}

static bool all_answered(void *context)
{
    (void)context;
    return answers == 64;
}

/* The backends of the new host, as they are before a frontend comes. */
static void resume_once(int answer)
{
    static const struct xg_driver *const drivers[] = {&xg_block_driver, &xg_net_driver};
    struct block_model *disk = calloc(1, sizeof(*disk));
    struct net_model *wire = calloc(1, sizeof(*wire));
    uint8_t frame[500] = {0}, back[4096];
    struct xg_net_part part = {frame, sizeof(frame)};

    *disk = (struct block_model){.id = 51712, .flush = true, .persistent = true, .in_order = true};
    *wire = (struct net_model){.copies = true, .sg = true};
    xg_block_ready = block_ready;
    xg_net_ready = net_ready;
    store_model_start();
    block_model_start(disk);
    net_model_start(wire);
    CHECK(!xg_grants_start(32) && !xg_store_start() && !xg_bus_start(drivers, 2));
    CHECK(!xg_console_start(0, 0) && !xg_control_start(&obey));
    CHECK(host_until(both_up, 0, 10000000000ull));
    for (unsigned int i = 0; i < 64; i++) {
        memset(blocks[i], (int)i + 1, 4096);
        requests[i] = (struct xg_block_request){.operation = XG_BLOCK_WRITE, .sector = i * 8,
                                                .count = 8, .data = blocks[i], .done = answered};
        CHECK(xg_block_submit(block_found, &requests[i]) == 0);
    }
    host_run(1);
    host_suspend_answer = answer;
    if (answer == 0) { /* the old backends are left behind */
        block_model_kill(disk);
        net_model_kill(wire);
    }
    CHECK(answers < 64);
    CHECK(xg_control_suspend() == 0 && host_suspends == 1);
    if (answer == 0) {
        block_model_revive(disk);
        net_model_revive(wire);
    }
    CHECK(host_until(both_up, 0, 10000000000ull));
    CHECK(host_until(all_answered, 0, 100000000000ull) && bad_answers == 0);
    for (unsigned int i = 0; i < 64; i++) {
        struct xg_block_request request = {.operation = XG_BLOCK_READ, .sector = i * 8, .count = 8, .data = back};
        CHECK(xg_block_wait(block_found, &request) == 0 && memcmp(back, blocks[i], 4096) == 0);
    }
    CHECK(xg_net_send(net_found, &part, 1, 0, 0) == 0);
    host_run(10);
    CHECK(frames_back == 1 && wire->connects == disk->connects);
    CHECK(disk->connects == (answer ? 1 : 2));
    CHECK(xg_console_write("back", 4) == 4);
}

static void resume_in_new_domain(void)
{
    resume_once(0);
}

static void resume_cancelled(void)
{
    resume_once(1);
}

/* Balloon. */

static void balloon_up_and_down(void)
{
    store_model_start();
    CHECK(xg_store_start() == 0 && xg_balloon_start(10000) == 0);
    poll_some(5);
    CHECK(xg_balloon_target() == 10000);
    store_set_number(HOME "/memory/target", 9000 * 4);
    poll_some(5);
    CHECK(xg_balloon_target() == 9000);
    while (xg_balloon_step()) {
    }
    CHECK(xg_balloon_now() == 9000 && host_frames_given == 1000);
    store_set_number(HOME "/memory/target", 20000 * 4); /* never more than it began with */
    poll_some(5);
    while (xg_balloon_step()) {
    }
    CHECK(xg_balloon_now() == 10000 && host_frames_given == 0 && host_pages_used() == 0);
    host_limit(100, SIZE_MAX); /* the system has no more to give */
    store_set_number(HOME "/memory/target", 5000 * 4);
    poll_some(5);
    while (xg_balloon_step()) {
    }
    CHECK(xg_balloon_now() == 9900);
    store_set(HOME "/memory/target", "rubbish");
    poll_some(5);
    CHECK(xg_balloon_target() == 5000);
}

/* Keyboard and screen: their backends are a few lines. */

static struct xg_input *keyboard;
static struct xg_screen *screen;
static unsigned int keys, motions;

static void input_event(struct xg_input *input, const union xenkbd_in_event *event)
{
    (void)input;
    keys += event->type == XENKBD_TYPE_KEY;
    motions += event->type == XENKBD_TYPE_MOTION;
}

static void input_ready(struct xg_input *input)
{
    input->event = input_event;
    keyboard = input;
}

static void input_gone(struct xg_input *input)
{
    (void)input;
    keyboard = 0;
}

static void screen_ready(struct xg_screen *found)
{
    screen = found;
}

static void screen_gone(struct xg_screen *found)
{
    (void)found;
    screen = 0;
}

/* Follows the frontend's state, as every backend must. */
static bool follow(void *context)
{
    const char *type = context;
    char front[96], back[96];

    snprintf(front, sizeof(front), HOME "/device/%s/0/state", type);
    snprintf(back, sizeof(back), "/local/domain/0/backend/%s/1/0/state", type);
    uint64_t theirs = store_get_number(front, 0), mine = store_get_number(back, 0);
    uint64_t next = mine == 2 && theirs == 3 ? 4 : mine == 4 && theirs >= 5 ? 5
                    : mine == 5 && theirs == 6 ? 6 : mine == 6 && theirs == 1 ? 2 : mine;
    if (next == mine)
        return false;
    store_set_number(back, next);
    return true;
}

static void add_device(const char *type)
{
    char path[96], text[96];

    snprintf(text, sizeof(text), "/local/domain/0/backend/%s/1/0", type);
    snprintf(path, sizeof(path), "%s/online", text);
    store_set(path, "1");
    snprintf(path, sizeof(path), "%s/request-update", text);
    store_set(path, "1");
    snprintf(path, sizeof(path), "%s/feature-abs-pointer", text);
    store_set(path, "1");
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

static bool have_both(void *context)
{
    (void)context;
    return keyboard && screen && keyboard->device.phase == XG_RUNNING &&
           screen->device.phase == XG_RUNNING;
}

static bool have_none(void *context)
{
    (void)context;
    return !keyboard && !screen;
}

static bool reconnected(void *context)
{
    return have_both(0) && ((struct xg_device *)context)->connections == 2;
}

static void start_both(void)
{
    static const struct xg_driver *const drivers[] = {&xg_input_driver, &xg_screen_driver};

    xg_input_ready = input_ready;
    xg_input_gone = input_gone;
    xg_screen_ready = screen_ready;
    xg_screen_gone = screen_gone;
    xg_input_want_absolute = true;
    store_model_start();
    add_device("vkbd");
    add_device("vfb");
    CHECK(!xg_grants_start(4) && !xg_store_start() && !xg_bus_start(drivers, 2));
    CHECK(host_until(have_both, 0, 10000000000ull));
}

static struct xenkbd_page *input_page(void)
{
    return host_copy_access((grant_ref_t)store_get_number(HOME "/device/vkbd/0/page-gref", 0), 0, true);
}

static void put_key(struct xenkbd_page *page, uint32_t index, uint8_t type)
{
    union xenkbd_in_event event = {.pad = {0}};

    event.type = type;
    memcpy((uint8_t *)page + XENKBD_IN_RING_OFFS + index % XENKBD_IN_RING_LEN * sizeof(event), &event,
           sizeof(event));
}

static void input_and_screen(void)
{
    struct xenkbd_page *page;
    struct xenfb_page *shown;

    start_both();
    page = input_page();
    CHECK(keyboard->absolute && store_get_number(HOME "/device/vkbd/0/request-abs-pointer", 0) == 1);
    for (uint32_t i = 0; i < 200; i++) {
        put_key(page, i, i % 3 == 0 ? XENKBD_TYPE_KEY : i % 3 == 1 ? XENKBD_TYPE_MOTION : 200);
        page->in_prod = i + 1;
        xg_event_deliver((evtchn_port_t)store_get_number(HOME "/device/vkbd/0/event-channel", 0));
        CHECK(page->in_cons == i + 1);
    }
    CHECK(keys == 67 && motions == 67);

    shown = host_page(store_get_number(HOME "/device/vfb/0/page-ref", 0));
    CHECK(shown->width == 800 && shown->height == 600 && shown->depth == 32);
    screen->pixels[5000] = 0x77;
    unsigned long *directory = host_page(shown->pd[0]);
    CHECK(((uint8_t *)host_page(directory[1]))[904] == 0x77);
    for (unsigned int i = 0; i < XENFB_OUT_RING_LEN; i++)
        CHECK(xg_screen_update(screen, i, 0, 10, 10) == 0);
    CHECK(xg_screen_update(screen, 0, 0, 10, 10) == -XEN_EAGAIN);
    shown->out_cons = 1;
    CHECK(xg_screen_update(screen, 0, 0, 10, 10) == 0);
    CHECK(xg_screen_update(screen, 795, 0, 10, 10) == -XEN_EINVAL);
    CHECK(xg_screen_update(screen, UINT32_MAX, 0, 1, 1) == -XEN_EINVAL);
    xg_bus_stop();
    CHECK(have_none(0));
    for (unsigned int i = 0; i < 10; i++)
        xg_grants_retry();
    CHECK(xg_grants_used() == 0 && host_pages_used() == 0 && host_ports() == 0);
}

static void input_impossible_index(void)
{
    start_both();
    input_page()->in_prod = 52;
    CHECK(host_until(reconnected, &keyboard->device, 10000000000ull));
    CHECK(keys == 0 && keyboard->device.faults == 1);
}

static void screen_impossible_index(void)
{
    start_both();
    struct xenfb_page *shown = host_page(store_get_number(HOME "/device/vfb/0/page-ref", 0));
    shown->out_cons = 3;
    CHECK(xg_screen_update(screen, 0, 0, 1, 1) == -XEN_EIO);
    CHECK(host_until(reconnected, &screen->device, 10000000000ull));
    CHECK(xg_screen_update(screen, 0, 0, 1, 1) == 0);
    shown->in_prod = UINT32_MAX;
    xg_bus_poll();
    CHECK(screen->device.faults == 2);
}

const struct test small_tests[] = {
    {"grants: a mapped page comes back when it is let go of", grants_end_and_return},
    {"events: a full table, late events", events_many_ports},
    {"console: both ways, full, no daemon", console_both_ways},
    {"console: impossible index of output", console_impossible_out},
    {"console: impossible index of input", console_impossible_in},
    {"control: requests, conflicts", control_requests},
    {"suspend: resumed elsewhere, with requests under way", resume_in_new_domain},
    {"suspend: cancelled", resume_cancelled},
    {"balloon: down, up, no memory, rubbish", balloon_up_and_down},
    {"input and screen: events, updates, pixels", input_and_screen},
    {"input: impossible index", input_impossible_index},
    {"screen: impossible indexes", screen_impossible_index},
    {0, 0},
};
