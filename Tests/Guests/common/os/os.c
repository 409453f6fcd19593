/*
 * xg_os.h over the guests' runtime: one vcpu, no threads. Events are masked at all times but while
 * xg_os_wait sleeps, so that no two functions of the frontends ever run at the same time.
 */
#include "front.h"

#include "xg_event.h"
#include "xg_os.h"

#define POOL_PAGES 2048u
#define HEAP_BYTES (1024u * 1024u)
/* Frames that others provide are mapped from here on; above the initial region. */

static uint8_t pool[POOL_PAGES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static bool pool_used[POOL_PAGES];
static uint8_t heap[HEAP_BYTES] __attribute__((aligned(16)));
static uint64_t window_used;
static evtchn_port_t timer_port;
static bool woken;
struct suspensions suspensions;

/* A hole in the heap: in order of addresses. */
struct hole {
    struct hole *next;
    size_t size;
};
static struct hole *holes;

/* Memory. */

void *xg_os_pages(size_t count)
{
    for (size_t first = 0; count && first + count <= POOL_PAGES; first++) {
        size_t run = 0;
        while (run < count && !pool_used[first + run])
            run++;
        if (run < count) {
            first += run;
            continue;
        }
        memset(&pool_used[first], 1, count);
        memset(pool[first], 0, count * PAGE_SIZE);
        return pool[first];
    }
    return 0;
}

void xg_os_free_pages(void *pages, size_t count)
{
    size_t first = (size_t)((uint8_t *)pages - pool[0]) / PAGE_SIZE;
    memset(&pool_used[first], 0, count);
}

static size_t rounded(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

void *xg_os_alloc(size_t size)
{
    static bool begun;

    if (!begun) {
        begun = true;
        holes = (struct hole *)(void *)heap;
        *holes = (struct hole){0, HEAP_BYTES};
    }
    if (size == 0 || size > HEAP_BYTES)
        return 0;
    size = rounded(size);
    for (struct hole **link = &holes; *link; link = &(*link)->next) {
        struct hole *hole = *link;
        if (hole->size < size)
            continue;
        if (hole->size == size) {
            *link = hole->next;
        } else {
            struct hole *rest = (struct hole *)(void *)((uint8_t *)hole + size);
            *rest = (struct hole){hole->next, hole->size - size};
            *link = rest;
        }
        return memset(hole, 0, size);
    }
    return 0;
}

void xg_os_free(void *memory, size_t size)
{
    struct hole **link = &holes, *hole = memory;

    if (!memory)
        return;
    while (*link && *link < hole)
        link = &(*link)->next;
    *hole = (struct hole){*link, rounded(size)};
    *link = hole;
    /* Joins neighbours; the list is short. */
    for (struct hole *each = holes; each;) {
        if (each->next && (uint8_t *)each + each->size == (uint8_t *)each->next) {
            each->size += each->next->size;
            each->next = each->next->next;
        } else {
            each = each->next;
        }
    }
}

uint64_t xg_os_frame(const void *page)
{
    return mfn_of(page);
}

void *xg_os_map(const xen_pfn_t *frames, size_t count)
{
    uint64_t address = FRAMES_WINDOW + window_used;

    for (size_t i = 0; i < count; i++) {
        if (map(address + i * PAGE_SIZE, pte_make(frames[i], PTE_READ_WRITE)))
            return 0;
    }
    window_used += count * PAGE_SIZE;
    return (void *)address;
}

/* Events. */

static void deliver(evtchn_port_t port)
{
    if (port != timer_port)
        xg_event_deliver(port);
}

int xg_os_port_open(evtchn_port_t port)
{
    if (!timer_port) {
        set_event_handler(deliver);
        timer_port = (evtchn_port_t)bind_virq(VIRQ_TIMER, 0);
        port_unmask(timer_port);
    }
    port_unmask(port);
    return 0;
}

void xg_os_port_close(evtchn_port_t port)
{
    port_mask(port);
    port_clear(port);
}

void xg_os_wait(uint64_t deadline)
{
    if (!woken && system_time() < deadline) {
        HYPERVISOR_set_timer_op(deadline);
        HYPERVISOR_sched_op(SCHEDOP_block, 0, 0); /* unmasks, and comes back when one is there */
    }
    events_enable();
    events_disable();
    woken = false;
}

void xg_os_wake(void)
{
    woken = true;
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
    start->store_frame = start_info->store_mfn;
    start->store_port = start_info->store_evtchn;
    if (start_info->flags & SIF_INITDOMAIN)
        return; /* its console is the hypervisor's */
    start->console_frame = start_info->console.domU.mfn;
    start->console_port = start_info->console.domU.evtchn;
}

void xg_os_shutdown(unsigned int reason)
{
    shut_down(reason);
}

/* Meanwhile frame numbers in start_info are the guest's own, of which the hypervisor makes new ones. */
int xg_os_suspend(void)
{
    struct sched_shutdown request = {.reason = SHUTDOWN_suspend};
    mfn_t store = start_info->store_mfn, console = start_info->console.domU.mfn;

    /* Where who saves the domain finds its list of frames. */
    shared_info->arch.max_pfn = start_info->nr_pages;
    shared_info->arch.p2m_vaddr = start_info->mfn_list;
    shared_info->arch.p2m_cr3 = CR3_OF(mfn_of((void *)start_info->pt_base));
    start_info->store_mfn = pfn_of_mfn(store);
    start_info->console.domU.mfn = pfn_of_mfn(console);
    long result = HYPERVISOR_sched_op(SCHEDOP_shutdown, &request, mfn_of(start_info));
    if (result) {
        start_info->store_mfn = store;
        start_info->console.domU.mfn = console;
        suspensions.cancelled += result > 0;
        return result > 0 ? 1 : (int)result;
    }
    result = HYPERVISOR_update_va_mapping((unsigned long)shared_info,
                                          start_info->shared_info | PTE_READ_WRITE, UVMF_INVLPG);
    if (result)
        panic("the shared information page cannot be mapped again: %E", result);
    events_initialise();
    timer_port = 0; /* bound again with the first port */
    suspensions.resumed++;
    return 0;
}

uint64_t xg_os_page_out(void *page)
{
    mfn_t frame = mfn_of(page);

    HYPERVISOR_update_va_mapping((unsigned long)page, 0, UVMF_INVLPG);
    ((unsigned long *)start_info->mfn_list)[pfn_of(page)] = ~0ul;
    return frame;
}

int xg_os_page_in(void *page, uint64_t frame)
{
    pfn_t pfn = pfn_of(page);

    ((unsigned long *)start_info->mfn_list)[pfn] = frame;
    long result = mmu_update_one(frame << XEN_PAGE_SHIFT | MMU_MACHPHYS_UPDATE, pfn);
    return (int)(result ? result : page_set_flags(page, PTE_READ_WRITE));
}

/* The rest. */

uint64_t xg_os_time(void)
{
    return system_time();
}

void xg_os_log(const char *line)
{
    print("%s\n", line);
}
