/*
 * test: front-attack-store
 * A guest that means ill floods xenstore and writes into its own pages of store and console whatever
 * might hurt who serves them: nodes, watches and transactions beyond every quota, messages of noise,
 * lengths beyond the limit, impossible indexes, lines without end. The store must serve it again after
 * each reset that it asks for, and the console's end is heard no more once its index is impossible.
 */
#include "raw.h"

static struct xenstore_domain_interface *page;
static struct xencons_interface *console;

static void ring_out(const void *bytes, uint32_t size)
{
    const char *data = bytes;

    for (uint32_t i = 0; i < size; i++)
        page->req[(page->req_prod + i) % XENSTORE_RING_SIZE] = data[i];
    xenabi_store_release(&page->req_prod, page->req_prod + size);
    xg_event_send(start_info->store_evtchn);
}

/* Whether the store answers by way of the driver, which asks for a reset where that is needed. */
static bool is_served(void)
{
    char text[24];

    for (unsigned int i = 0; i < 5; i++) {
        if (xg_store_read(0, "domid", text, sizeof(text)) > 0)
            return true;
        raw_pause(100);
    }
    return false;
}

/* The driver finds the connection broken, and resets it. */
static void break_off(void)
{
    xenabi_store_release(&page->rsp_prod, page->rsp_cons + 5000);
}

static void nodes(void)
{
    char path[64], number[21];

    for (unsigned int i = 0; i < 1200; i++) {
        xg_print_number(number, i);
        xg_join(path, sizeof(path), "data/", number, (char *)0);
        if (xg_store_write(0, path, "a value that takes room") < 0)
            break;
    }
    xg_store_remove(0, "data");
    xg_store_mkdir(0, "data");
}

static void watches(void)
{
    static struct xg_watch many[200];
    unsigned int set = 0;

    while (set < 200 && xg_join(many[set].path, sizeof(many[set].path), "data", (char *)0) &&
           xg_store_watch(&many[set]) == 0)
        set++;
    for (unsigned int i = 0; i < 50; i++)
        xg_store_write(0, "data/watched", "x");
    while (set)
        xg_store_unwatch(&many[--set]);
}

static void transactions(void)
{
    uint32_t number, first = 0;

    for (unsigned int i = 0; i < 40 && xg_store_begin(&number) == 0; i++)
        first = first ? first : number;
    for (unsigned int i = 0; i < 40 && first; i++)
        xg_store_abort(first + i);
}

static void others_nodes(void)
{
    static const char *const paths[] = {"/", "/tool", "/local/domain/0/backend", "/local/domain/2/data",
                                        "@releaseDomain", "/local/domain/2/device", "../2/data", "//"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        if (xg_store_write(0, paths[i], "mine") == 0 || xg_store_remove(0, paths[i]) == 0)
            life_check(paths[i], false);
    }
}

static void noise(void)
{
    uint8_t bytes[256];

    for (unsigned int i = 0; i < 16; i++) {
        raw_scribble(bytes, sizeof(bytes));
        ring_out(bytes, sizeof(bytes));
        raw_pause(5);
    }
    break_off();
}

static void long_message(void)
{
    struct xsd_sockmsg message = {.type = XS_READ, .req_id = 1, .len = 0xfffffff0u};

    ring_out(&message, sizeof(message));
    raw_pause(20);
    break_off();
}

static void every_type(void)
{
    for (uint32_t type = 0; type < 64; type++) {
        struct {
            struct xsd_sockmsg header;
            char payload[8];
        } message = {{.type = type * 7919u % 131u, .req_id = type, .tx_id = type & 1 ? ~0u : 0, .len = 8},
                     {'d', 'a', 't', 'a', 0, (char)type, 0, (char)~type}};
        ring_out(&message, sizeof(message));
        if (type % 8 == 7)
            raw_pause(5);
    }
    break_off();
}

static void half_message(void)
{
    struct xsd_sockmsg message = {.type = XS_WRITE, .req_id = 1, .len = 4096};

    ring_out(&message, sizeof(message));
    raw_pause(20);
    break_off();
}

static void indexes(void)
{
    xenabi_store_release(&page->req_prod, page->req_cons + 100000);
    xg_event_send(start_info->store_evtchn);
    raw_pause(20);
    break_off();
}

static void resets(void)
{
    for (unsigned int i = 0; i < 100; i++) {
        xenabi_store_release(&page->connection, i % 5);
        xg_event_send(start_info->store_evtchn);
    }
    raw_pause(50);
    break_off();
}

static void event_storm(void)
{
    for (unsigned int i = 0; i < 3000; i++) {
        xg_event_send(start_info->store_evtchn);
        xg_event_send(start_info->console.domU.evtchn);
    }
}

static void console_noise(void)
{
    for (unsigned int i = 0; i < 64; i++) {
        raw_scribble(console->out, sizeof(console->out));
        for (size_t at = 0; at < sizeof(console->out); at++)
            console->out[at] = (char)(console->out[at] == '\n' ? 'n' : console->out[at] & 0x7f);
        xenabi_store_release(&console->out_prod, console->out_cons + (uint32_t)sizeof(console->out));
        xg_event_send(start_info->console.domU.evtchn);
        raw_pause(2);
    }
}

static void console_index(void)
{
    xenabi_store_release(&console->out_prod, console->out_cons + 100000);
    xenabi_store_release(&console->in_cons, console->in_prod - 100000);
    xg_event_send(start_info->console.domU.evtchn);
}

static const struct {
    const char *name;
    void (*attack)(void);
} attacks[] = {
    {"nodes without end", nodes}, {"watches without end", watches},
    {"transactions without end", transactions}, {"nodes of others", others_nodes},
    {"noise", noise}, {"a message of 4 GiB", long_message}, {"every type of message", every_type},
    {"half a message", half_message}, {"impossible indexes", indexes}, {"resets", resets},
    {"an event storm", event_storm}, {"noise on the console", console_noise},
    {"impossible indexes of the console", console_index},
};

void test_main(void)
{
    xen_pfn_t frames[2] = {start_info->store_mfn, start_info->console.domU.mfn};

    front_start(0, 0);
    page = xg_os_map(&frames[0], 1);
    console = xg_os_map(&frames[1], 1);
    life_check("both pages", page && console);
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        attacks[i].attack();
        raw_pause(20);
        life_check(attacks[i].name, is_served());
    }
    front_end(life_end());
}
