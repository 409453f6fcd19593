/* The machine of host.h, and xg_os.h over it. Freed pages are poisoned, so that ASan sees late uses. */
#include "host.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "xg_bus.h"
#include "xg_event.h"

#if defined(__SANITIZE_ADDRESS__) || (defined(__has_feature) && __has_feature(address_sanitizer))
#include <sanitizer/asan_interface.h>
#define POISON(page) ASAN_POISON_MEMORY_REGION(page, XEN_PAGE_SIZE)
#define UNPOISON(page) ASAN_UNPOISON_MEMORY_REGION(page, XEN_PAGE_SIZE)
#else
#define POISON(page) (void)(page)
#define UNPOISON(page) (void)(page)
#endif

#define PAGES 32768u
#define FIRST_FRAME 0x4000u
#define GRANT_FRAMES 32u
#define GRANTS (GRANT_FRAMES * 512u)
#define PORTS 4096u
#define MODELS 16u

size_t host_frames_given;
unsigned int host_check_every = 1;
unsigned int host_shutdown_reason = 255, host_suspends, host_lines_logged, host_failures;
int host_suspend_answer;
struct xenstore_domain_interface *host_store_page;
struct xencons_interface *host_console_page;

static uint8_t *memory;
static bool page_used[PAGES], page_out[PAGES];
static size_t pages_used, bytes_used, page_limit, byte_limit;
static uint32_t next_page;
static struct grant_entry_v1 *grants;
static uint16_t readers[GRANTS], writers[GRANTS];
static uint32_t mapped;
static struct {
    bool open, routed, to_guest, to_backend;
} ports[PORTS];
static evtchn_port_t next_port = 16;
static struct {
    host_model *run;
    void *context;
} models[MODELS];
static unsigned int model_count;
static uint64_t now = 1000000, state;
static bool woken, verbose;
static unsigned int frees;

uint64_t host_random(void)
{
    state += 0x9e3779b97f4a7c15ull;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

uint32_t host_below(uint32_t limit)
{
    return (uint32_t)(host_random() % limit);
}

void check(bool condition, const char *file, int line, const char *text)
{
    if (condition)
        return;
    host_failures++;
    printf("%s:%d: %s\n", file, line, text);
}

static uint8_t *page_at(uint32_t index)
{
    return memory + (size_t)index * XEN_PAGE_SIZE;
}

static void *pages_take(size_t count)
{
    for (uint32_t tried = 0; tried < PAGES; tried++) {
        uint32_t first = (next_page + tried) % PAGES, run = 0;
        while (run < count && first + run < PAGES && !page_used[first + run])
            run++;
        if (run < count)
            continue;
        for (uint32_t i = first; i < first + count; i++) {
            page_used[i] = true;
            UNPOISON(page_at(i));
            memset(page_at(i), 0, XEN_PAGE_SIZE);
        }
        next_page = (first + (uint32_t)count) % PAGES;
        pages_used += count;
        return page_at(first);
    }
    return 0;
}

void host_start(uint64_t seed)
{
    state = seed;
    verbose = getenv("VERBOSE") != 0;
    memory = mmap(0, (size_t)PAGES * XEN_PAGE_SIZE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        abort();
    for (uint32_t i = 0; i < PAGES; i++)
        POISON(page_at(i));
    grants = pages_take(GRANT_FRAMES);
    host_store_page = pages_take(1);
    host_console_page = pages_take(1);
    ports[HOST_STORE_PORT].open = ports[HOST_CONSOLE_PORT].open = true;
    pages_used = bytes_used = 0;
    page_limit = byte_limit = SIZE_MAX;
}

void host_add_model(host_model *model, void *context)
{
    models[model_count].run = model;
    models[model_count++].context = context;
}

static bool deliver_events(void)
{
    bool any = false;

    for (evtchn_port_t port = 1; port < next_port; port++) {
        if (ports[port].to_guest && ports[port].routed) {
            ports[port].to_guest = false;
            any = true;
            xg_event_deliver(port);
        }
    }
    return any;
}

static bool round_once(void)
{
    bool any = false;

    for (unsigned int i = 0; i < model_count; i++)
        any |= models[i].run(models[i].context);
    any |= deliver_events();
    return any;
}

void host_run(unsigned int rounds)
{
    while (rounds-- && round_once()) {
    }
}

void host_pass(uint64_t nanoseconds)
{
    now += nanoseconds;
}

bool host_until(bool (*condition)(void *context), void *context, uint64_t nanoseconds)
{
    uint64_t deadline = now + nanoseconds;

    while (!condition(context)) {
        if (now >= deadline)
            return false;
        xg_os_wait(deadline);
        xg_bus_poll();
    }
    return true;
}

/* Grants. */

static bool grant_live(grant_ref_t reference, domid_t domain, bool writable)
{
    if (reference < 8 || reference >= GRANTS)
        return false;
    const struct grant_entry_v1 *entry = &grants[reference];
    return (entry->flags & GTF_type_mask) == GTF_permit_access && entry->domid == domain &&
           !(writable && entry->flags & GTF_readonly) && host_page(entry->frame);
}

void *host_copy_access(grant_ref_t reference, domid_t domain, bool writable)
{
    return grant_live(reference, domain, writable) ? host_page(grants[reference].frame) : 0;
}

void *host_map(grant_ref_t reference, domid_t domain, bool writable)
{
    if (!grant_live(reference, domain, writable))
        return 0;
    readers[reference]++;
    writers[reference] = (uint16_t)(writers[reference] + writable);
    grants[reference].flags |= (uint16_t)(GTF_reading | (writable ? GTF_writing : 0));
    mapped++;
    return host_page(grants[reference].frame);
}

void host_unmap(grant_ref_t reference, bool writable)
{
    mapped--;
    writers[reference] = (uint16_t)(writers[reference] - writable);
    if (writers[reference] == 0)
        grants[reference].flags &= (uint16_t)~GTF_writing;
    if (--readers[reference] == 0)
        grants[reference].flags &= (uint16_t)~GTF_reading;
}

uint32_t host_mapped(void)
{
    return mapped;
}

void *host_page(uint64_t frame)
{
    if (frame < FIRST_FRAME || frame >= FIRST_FRAME + PAGES || !page_used[frame - FIRST_FRAME])
        return 0;
    return page_at((uint32_t)frame - FIRST_FRAME);
}

/* Ports. */

bool host_port_open(evtchn_port_t port)
{
    return port < PORTS && ports[port].open;
}

bool host_port_take(evtchn_port_t port)
{
    bool was = port < PORTS && ports[port].to_backend;

    if (was)
        ports[port].to_backend = false;
    return was;
}

void host_port_notify(evtchn_port_t port)
{
    if (port < PORTS && ports[port].open)
        ports[port].to_guest = true;
}

unsigned int host_ports(void)
{
    unsigned int count = 0;

    for (evtchn_port_t port = 16; port < next_port; port++)
        count += ports[port].open;
    return count;
}

size_t host_pages_used(void)
{
    return pages_used;
}

size_t host_bytes_used(void)
{
    return bytes_used;
}

void host_limit(size_t pages, size_t bytes)
{
    page_limit = pages;
    byte_limit = bytes;
}

/* xg_os.h. */

void *xg_os_pages(size_t count)
{
    return count > page_limit || pages_used > page_limit - count ? 0 : pages_take(count);
}

void xg_os_free_pages(void *pages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t index = (uint32_t)(((uint8_t *)pages - memory) / XEN_PAGE_SIZE + (ptrdiff_t)i);
        CHECK(page_used[index]);
        /* A page that a backend may still reach must not come back. */
        bool looked_at = frees++ % host_check_every == 0;
        for (grant_ref_t reference = 8; looked_at && reference < GRANTS / 8; reference++) {
            if (grants[reference].flags && grants[reference].frame == FIRST_FRAME + index)
                CHECK(false && "a page is freed that is granted");
        }
        page_used[index] = false;
        POISON(page_at(index));
    }
    pages_used -= count;
}

void *xg_os_alloc(size_t size)
{
    if (size > byte_limit || bytes_used > byte_limit - size)
        return 0;
    bytes_used += size;
    return calloc(1, size);
}

void xg_os_free(void *place, size_t size)
{
    if (!place)
        return;
    bytes_used -= size;
    free(place);
}

uint64_t xg_os_frame(const void *page)
{
    return FIRST_FRAME + (uint64_t)((const uint8_t *)page - memory) / XEN_PAGE_SIZE;
}

void *xg_os_map(const xen_pfn_t *frames, size_t count)
{
    for (size_t i = 1; i < count; i++)
        CHECK(frames[i] == frames[0] + i);
    return host_page(frames[0]);
}

int xg_os_port_open(evtchn_port_t port)
{
    CHECK(host_port_open(port));
    ports[port].routed = true;
    ports[port].to_guest = true; /* unmasking delivers what has come before */
    return 0;
}

void xg_os_port_close(evtchn_port_t port)
{
    ports[port].routed = false;
}

void xg_os_wait(uint64_t deadline)
{
    uint64_t until = now + 10000000;

    now += 1000;
    if (round_once() || woken) {
        woken = false;
        return;
    }
    if (until > deadline)
        until = deadline;
    if (until > now)
        now = until;
}

void xg_os_wake(void)
{
    woken = true;
}

long xg_os_event_op(unsigned int command, void *argument)
{
    if (command == EVTCHNOP_alloc_unbound) {
        struct evtchn_alloc_unbound *unbound = argument;
        if (next_port == PORTS)
            return -XEN_ENOSPC;
        unbound->port = next_port++;
        ports[unbound->port].open = true;
        return 0;
    }
    if (command == EVTCHNOP_close) {
        struct evtchn_close *close = argument;
        CHECK(host_port_open(close->port));
        memset(&ports[close->port], 0, sizeof(ports[0]));
        return 0;
    }
    if (command == EVTCHNOP_send) {
        struct evtchn_send *send = argument;
        CHECK(host_port_open(send->port));
        ports[send->port].to_backend = true;
        return 0;
    }
    return -XEN_ENOSYS;
}

long xg_os_grant_op(unsigned int command, void *argument, unsigned int count)
{
    CHECK(count == 1);
    if (command == GNTTABOP_query_size) {
        struct gnttab_query_size *query = argument;
        query->nr_frames = 1;
        query->max_nr_frames = GRANT_FRAMES;
        query->status = GNTST_okay;
        return 0;
    }
    if (command == GNTTABOP_setup_table) {
        struct gnttab_setup_table *setup = argument;
        for (uint32_t i = 0; i < setup->nr_frames; i++)
            setup->frame_list[i] = xg_os_frame((uint8_t *)grants + (size_t)i * XEN_PAGE_SIZE);
        setup->status = GNTST_okay;
        return 0;
    }
    return command == GNTTABOP_set_version ? 0 : -XEN_ENOSYS;
}

long xg_os_memory_op(unsigned int command, void *argument)
{
    struct xen_memory_reservation *reservation = argument;
    uint64_t index = reservation->extent_start[0] - FIRST_FRAME;

    if (command == XENMEM_decrease_reservation) {
        CHECK(index < PAGES && page_out[index]);
        host_frames_given++;
        return 1;
    }
    if (command == XENMEM_increase_reservation) {
        for (uint32_t i = 0; i < PAGES; i++) {
            if (page_out[i]) {
                reservation->extent_start[0] = FIRST_FRAME + i;
                host_frames_given--;
                return 1;
            }
        }
        return 0;
    }
    return -XEN_ENOSYS;
}

void xg_os_start(struct xg_start *start)
{
    start->store_frame = xg_os_frame(host_store_page);
    start->store_port = HOST_STORE_PORT;
    start->console_frame = xg_os_frame(host_console_page);
    start->console_port = HOST_CONSOLE_PORT;
}

void xg_os_shutdown(unsigned int reason)
{
    host_shutdown_reason = reason;
}

/* As a resume in a new domain leaves things: no grants, no ports but the toolstack's two. */
int xg_os_suspend(void)
{
    host_suspends++;
    if (host_suspend_answer)
        return host_suspend_answer;
    memset(grants, 0, GRANT_FRAMES * XEN_PAGE_SIZE);
    memset(&ports[16], 0, sizeof(ports) - 16 * sizeof(ports[0]));
    memset(readers, 0, sizeof(readers));
    memset(writers, 0, sizeof(writers));
    mapped = 0;
    return 0;
}

uint64_t xg_os_page_out(void *page)
{
    uint64_t frame = xg_os_frame(page);

    page_out[frame - FIRST_FRAME] = true;
    POISON(page);
    return frame;
}

int xg_os_page_in(void *page, uint64_t frame)
{
    page_out[frame - FIRST_FRAME] = false;
    UNPOISON(page);
    return 0;
}

uint64_t xg_os_time(void)
{
    return now += 100;
}

void xg_os_log(const char *line)
{
    host_lines_logged++;
    if (verbose)
        printf("    log: %s\n", line);
}
