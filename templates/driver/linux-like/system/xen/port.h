/* What your port to the PV interface has to offer, under whatever names it has there. */
#ifndef _XEN_PORT_H
#define _XEN_PORT_H
#include <stdbool.h>
#include <stdint.h>
#include "xenabi.h"
extern struct start_info *xen_start_info;
/* Machine frame behind an address of the kernel: P2M of its pseudo-physical frame. */
uint64_t xen_virt_to_frame(const void *address);
/* Takes a page out of page tables and P2M, and gives its frame; puts a frame back there. */
uint64_t xen_page_out(void *page);
int xen_page_in(void *page, uint64_t frame);
/* An interrupt number of the system's for an event channel port, and its end. */
int xen_port_to_irq(evtchn_port_t port);
void xen_port_forget(evtchn_port_t port);
/* Flags of a writable page of the kernel: present, write, accessed, dirty, no execute, and in ring 3,
 * where a kernel of 64 bits runs, user. */
#ifdef __x86_64__
#define XEN_PAGE_KERNEL_RW 0x8000000000000067ull
#else
#define XEN_PAGE_KERNEL_RW 0x8000000000000063ull
#endif
/* linux/reboot.h has these. */
void orderly_poweroff(bool force);
void orderly_reboot(void);
#endif
