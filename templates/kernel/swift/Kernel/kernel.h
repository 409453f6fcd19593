/*
 * What this kernel has for drivers in archives of their own, and what it calls of them. One processor
 * and no threads; events are masked but in kernel_wait and kernel_deliver.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "xenabi.h"

/* Pages in a row, zeroed, each a machine frame of its own; 0: there are none. All, or some, come back. */
void *kernel_pages(ptrdiff_t count);
void kernel_free_pages(void *pages, ptrdiff_t count);
/* The machine frame of such a page. */
uint64_t kernel_frame(void *page);
/* Maps frames of others, writable and in a row; 0: it cannot. */
void *kernel_map(const xen_pfn_t *frames, ptrdiff_t count);

/* Handles a port that is open already, and unmasks it; 0, or a negative error. */
int32_t kernel_open_port(evtchn_port_t port, void (*handler)(evtchn_port_t port));
/* Masks a port and forgets its handler. */
void kernel_close_port(evtchn_port_t port);
/* Sleeps until an event is pending or the time has come. */
void kernel_wait(uint64_t deadline);
/* Delivers what is pending. */
void kernel_deliver(void);

/* Nanoseconds since the machine started. */
uint64_t kernel_time(void);
const struct start_info *kernel_start_info(void);
static inline const char *kernel_command_line(void) { return (const char *)kernel_start_info()->cmd_line; }
void kernel_print(const uint8_t *bytes, ptrdiff_t count);

/* Of the driver: its life. 0, or a negative error. */
int32_t xg_run(void);

#endif /* KERNEL_H */
