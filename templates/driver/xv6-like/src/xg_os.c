/*
 * xg_os.h with xv6's conventions. The driver context is a process in the kernel that holds xg_lock,
 * a spinlock; the upcall takes it as well. To hold a spinlock keeps interrupts off on this
 * processor (pushcli, which your port turns into the mask of events), so the two never meet.
 *
 * kalloc() gives single pages. Rows of pages come from a pool of the driver's own.
 *
 * What starts with xen_ is your port's (system/xenport.h says what is expected of it); the rest is
 * the system's.
 */
#include "xg_os.h"

#include "defs.h"
#include "param.h"
#include "spinlock.h"
#include "xenport.h"

#include "xg_event.h"
#include "xg_run.h"

#define POOL_PAGES 1024u
#define SMALLEST 16u
#define SIZES 9u /* 16 to 4096 bytes */

static struct spinlock xg_lock;
static bool woken;

static unsigned char pool[POOL_PAGES][PGSIZE] __attribute__((aligned(PGSIZE)));
static bool pool_used[POOL_PAGES];

struct piece {
    struct piece *next;
};
static struct piece *free_pieces[SIZES];

/* The driver's process: make one at boot that calls this in the kernel, as forkret does for init. */
void xg_process(void);
void xg_process(void)
{
    initlock(&xg_lock, "xg");
    acquire(&xg_lock);
    int error = xg_run();
    release(&xg_lock);
    cprintf("xg: the frontends cannot start: %d\n", error);
}

/* Memory. */

static void clear(void *memory, size_t size)
{
    for (unsigned char *byte = memory; size; size--)
        *byte++ = 0;
}

void *xg_os_pages(size_t count)
{
    size_t run = 0;

    for (size_t page = 0; count && page < POOL_PAGES; page++) {
        run = pool_used[page] ? 0 : run + 1;
        if (run < count)
            continue;
        size_t first = page + 1 - count;
        for (size_t i = first; i <= page; i++)
            pool_used[i] = true;
        clear(pool[first], count * PGSIZE);
        return pool[first];
    }
    return 0;
}

void xg_os_free_pages(void *pages, size_t count)
{
    size_t first = (size_t)((unsigned char *)pages - pool[0]) / PGSIZE;

    for (size_t page = first; page < first + count; page++)
        pool_used[page] = false;
}

/* A list of free pieces for each power of two; larger ones are pages of the pool. */
static unsigned int index_of(size_t size)
{
    unsigned int index = 0;

    while ((size_t)SMALLEST << index < size)
        index++;
    return index;
}

void *xg_os_alloc(size_t size)
{
    if (size > PGSIZE)
        return xg_os_pages((size + PGSIZE - 1) / PGSIZE);
    unsigned int index = index_of(size);
    size_t step = (size_t)SMALLEST << index;
    if (!free_pieces[index]) {
        char *page = kalloc();
        for (size_t at = 0; page && at < PGSIZE; at += step)
            xg_os_free(page + at, step);
    }
    struct piece *piece = free_pieces[index];
    if (!piece)
        return 0;
    free_pieces[index] = piece->next;
    clear(piece, size);
    return piece;
}

void xg_os_free(void *memory, size_t size)
{
    if (!memory)
        return;
    if (size > PGSIZE) {
        xg_os_free_pages(memory, (size + PGSIZE - 1) / PGSIZE);
        return;
    }
    struct piece *piece = memory;
    piece->next = free_pieces[index_of(size)];
    free_pieces[index_of(size)] = piece;
}

uint64_t xg_os_frame(const void *page)
{
    return xen_virt_to_frame(page);
}

void *xg_os_map(const xen_pfn_t *frames, size_t count)
{
    return xen_map_frames(frames, count);
}

/* Events. */

/* In the upcall. */
static void port_upcall(evtchn_port_t port)
{
    acquire(&xg_lock);
    xg_event_deliver(port);
    xg_os_wake();
    release(&xg_lock);
}

int xg_os_port_open(evtchn_port_t port)
{
    return xen_port_handle(port, port_upcall);
}

void xg_os_port_close(evtchn_port_t port)
{
    xen_port_handle(port, 0);
}

void xg_os_wait(uint64_t deadline)
{
    /* sleep() has no time limit. The clock's interrupt wakes whoever sleeps on &ticks, a hundred
     * times a second; so does xg_os_wake. */
    if (!woken && xg_os_time() < deadline)
        sleep(&ticks, &xg_lock);
    woken = false;
}

void xg_os_wake(void)
{
    woken = true;
    wakeup(&ticks);
}

/* The hypervisor. */

long xg_os_event_op(unsigned int command, void *argument)
{
    return HYPERVISOR_event_channel_op((int32_t)command, argument);
}

long xg_os_grant_op(unsigned int command, void *argument, unsigned int count)
{
    return HYPERVISOR_grant_table_op(command, argument, count);
}

long xg_os_memory_op(unsigned int command, void *argument)
{
    return HYPERVISOR_memory_op(command, argument);
}

/* The domain. */

void xg_os_start(struct xg_start *start)
{
    const struct start_info *info = xen_start_info;

    *start = (struct xg_start){.store_frame = info->store_mfn, .store_port = info->store_evtchn};
    if (info->flags & SIF_INITDOMAIN)
        return; /* Domain 0 has the hypervisor's console and no other. */
    start->console_frame = info->console.domU.mfn;
    start->console_port = info->console.domU.evtchn;
}

void xg_os_shutdown(unsigned int reason)
{
    struct sched_shutdown shutdown = {.reason = reason};

    HYPERVISOR_sched_op(SCHEDOP_shutdown, &shutdown, 0);
}

/* xv6 cannot be moved. */
int xg_os_suspend(void)
{
    return -XEN_ENOSYS;
}

/* For the balloon, which no other part calls. */
uint64_t xg_os_page_out(void *page)
{
    return xen_page_out(page);
}

int xg_os_page_in(void *page, uint64_t frame)
{
    return xen_page_in(page, frame);
}

/* The rest. */

uint64_t xg_os_time(void)
{
    return xen_time();
}

void xg_os_log(const char *line)
{
    cprintf("xg: %s\n", line);
}
