/*
 * xg_os.h for a small kernel with one processor and no threads, as `xenograft generate kernel`
 * writes it: build with SYSTEM=path/to/that/kernel/src. Its main() masks events (events_disable)
 * before it calls xg_run(), and they stay masked but while xg_os_wait sleeps: so no two functions of
 * the frontends ever run at the same time.
 */
#include "xg_os.h"

#include "clock.h"
#include "console.h"
#include "domain.h"
#include "events.h"
#include "heap.h"
#include "pages.h"
#include "xg_event.h"

/* Frames of others are mapped from here on. */
static uintptr_t window_end = FRAMES_WINDOW;
static bool woken;

/* Memory. */

void *xg_os_pages(size_t count)
{
    return pages_alloc(count);
}

void xg_os_free_pages(void *pages, size_t count)
{
    pages_free(pages, count);
}

void *xg_os_alloc(size_t size)
{
    return heap_alloc(size);
}

void xg_os_free(void *memory, size_t size)
{
    heap_free(memory, size);
}

uint64_t xg_os_frame(const void *page)
{
    return frame_of(page);
}

void *xg_os_map(const xen_pfn_t *frames, size_t count)
{
    uintptr_t first = window_end;

    for (size_t i = 0; i < count; i++) {
        if (map(first + i * PAGE_SIZE, frames[i], PAGE_WRITABLE | PAGE_NO_EXECUTE))
            return 0;
    }
    window_end += count * PAGE_SIZE;
    return (void *)first;
}

/* Events. */

int xg_os_port_open(evtchn_port_t port)
{
    return (int)events_handle(port, xg_event_deliver);
}

void xg_os_port_close(evtchn_port_t port)
{
    events_forget(port);
}

void xg_os_wait(uint64_t deadline)
{
    if (!woken && clock_now() < deadline) {
        clock_set(deadline);
        events_wait();
    }
    /* What came while they were masked is delivered here. */
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
    *start = (struct xg_start){.store_frame = start_info->store_mfn,
                               .store_port = start_info->store_evtchn};
    if (start_info->flags & SIF_INITDOMAIN)
        return; /* Domain 0 has the hypervisor's console and no other. */
    start->console_frame = start_info->console.domU.mfn;
    start->console_port = start_info->console.domU.evtchn;
}

void xg_os_shutdown(unsigned int reason)
{
    domain_end(reason);
}

/* A kernel that can be moved would take down its tables, callbacks and timer here. */
int xg_os_suspend(void)
{
    return -XEN_ENOSYS;
}

/* For the balloon. The kernel has no call for a page without a frame: write one before you use it. */
uint64_t xg_os_page_out(void *page)
{
    uint64_t frame = frame_of(page);
    xen_pfn_t *p2m = (xen_pfn_t *)start_info->mfn_list;

    unmap((uintptr_t)page);
    p2m[((uintptr_t)page - KERNEL_BASE) / PAGE_SIZE] = ~0ul;
    return frame;
}

int xg_os_page_in(void *page, uint64_t frame)
{
    xen_pfn_t *p2m = (xen_pfn_t *)start_info->mfn_list;
    size_t number = ((uintptr_t)page - KERNEL_BASE) / PAGE_SIZE;
    struct mmu_update update = {.ptr = frame * PAGE_SIZE | MMU_MACHPHYS_UPDATE, .val = number};
    long error = HYPERVISOR_mmu_update(&update, 1, 0, DOMID_SELF);

    p2m[number] = (xen_pfn_t)frame;
    if (!error)
        error = map((uintptr_t)page, frame, PAGE_WRITABLE);
    return (int)error;
}

/* The rest. */

uint64_t xg_os_time(void)
{
    return clock_now();
}

void xg_os_log(const char *line)
{
    print("%s\n", line);
}
