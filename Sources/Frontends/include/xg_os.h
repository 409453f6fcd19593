/*
 * The porting layer: everything that the frontends want of the system around them. A system that
 * writes these functions has the drivers; nothing else of the system is called or included.
 *
 *     your kernel  -->  xg_bus.h, xg_block.h, xg_net.h ...   (what a kernel calls)
 *                         frontends
 *     your kernel  <--  xg_os.h                              (what the frontends call)
 *
 * Two contexts:
 *   driver  A thread, or the main loop. It calls xg_bus_poll() and everything else that is not
 *           marked otherwise. It may wait.
 *   event   xg_event_deliver(), called for a pending port: in the upcall, or in a thread of its
 *           own. It never waits.
 * The frontends have no locks. The system sees to it that no two of their functions run at the
 * same time, with one exception: while xg_os_wait() sleeps, events are delivered. With one
 * processor, keep events masked around calls into the frontends; with more, hold one lock, which
 * xg_os_wait() lets go of while it sleeps.
 */
#ifndef XG_OS_H
#define XG_OS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xenabi.h"

/* Memory. */

/* Pages in a row, zeroed and page-aligned, each one a machine frame of its own; 0: none left.
 * Driver context. */
void *xg_os_pages(size_t count);
/* Gives back pages that xg_os_pages gave, all of them or some. Driver context. */
void xg_os_free_pages(void *pages, size_t count);
/* Zeroed memory for private state, aligned for any type; 0: none left. Driver context. */
void *xg_os_alloc(size_t size);
/* Gives it back; size is that of the allocation, 0 may be passed as memory. Driver context. */
void xg_os_free(void *memory, size_t size);
/* Machine frame of a page: the number that goes into a grant or to the hypervisor. Any context. */
uint64_t xg_os_frame(const void *page);
/* Maps frames that the hypervisor or toolstack provides (grant table, xenstore, console), writable
 * and in a row; 0: it cannot. They stay mapped until the next call after a resume. Driver context.
 */
void *xg_os_map(const xen_pfn_t *frames, size_t count);

/* Events. */

/* Routes a port, which is open already, to xg_event_deliver() and unmasks it. Driver context. */
int xg_os_port_open(evtchn_port_t port);
/* Masks it and ends the routing; the port is closed after. Driver context. */
void xg_os_port_close(evtchn_port_t port);
/* Sleeps until an event has been delivered, xg_os_wake() was called, or the time has come; may
 * come back early for no reason. Driver context, with nothing held but the frontends' lock. */
void xg_os_wait(uint64_t deadline);
/* Something is left to do: xg_bus_poll() is wanted soon. Any context. */
void xg_os_wake(void);

/* The hypervisor. Each is the hypercall of that name, and returns what it returns. */

/* Driver context; EVTCHNOP_send in any. */
long xg_os_event_op(unsigned int command, void *argument);
/* Driver context, at start and resume only. */
long xg_os_grant_op(unsigned int command, void *argument, unsigned int count);
/* Driver context; the balloon alone calls it. */
long xg_os_memory_op(unsigned int command, void *argument);

/* The domain. */

/* Where the toolstack left the pages of xenstore and console; zero frame: there is none. */
struct xg_start {
    xen_pfn_t store_frame, console_frame;
    evtchn_port_t store_port, console_port;
};
/* Out of start_info, read anew after a resume. Driver context. */
void xg_os_start(struct xg_start *start);
/* Ends the domain for one of the SHUTDOWN reasons except suspend; may sync disks first, and may
 * return if the system ends later. Driver context. */
void xg_os_shutdown(unsigned int reason);
/* Suspends the whole system (guides/abi/sched.md): 0 in a new domain with callbacks, shared page
 * and timers set up again; 1: cancelled, all is as before; negative: cannot. Driver context. */
int xg_os_suspend(void);
/* Takes a page out of the page tables and of the P2M and gives its frame's number; the frame is
 * given to the hypervisor next. Driver context; the balloon. */
uint64_t xg_os_page_out(void *page);
/* Puts a new frame where page_out left a hole: M2P, P2M, page table. Driver context; the balloon. */
int xg_os_page_in(void *page, uint64_t frame);

/* The rest. */

/* Nanoseconds since some moment; never goes back, a resume aside. Any context. */
uint64_t xg_os_time(void);
/* One line for the system's log, without a newline. It must not come back into the frontends
 * (a console over xg_console_write would). Any context. */
void xg_os_log(const char *line);

#endif /* XG_OS_H */
