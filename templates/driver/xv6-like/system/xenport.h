/* What your port to the PV interface has to offer, under whatever names it has there. */
#ifndef XENPORT_H
#define XENPORT_H
#include <stddef.h>
#include <stdint.h>
#include "xenabi.h"
extern struct start_info *xen_start_info;
/* Machine frame behind an address of the kernel: P2M of its pseudo-physical frame. */
uint64_t xen_virt_to_frame(const void *address);
/* Takes a page out of page tables and P2M, and gives its frame; puts a frame back there. */
uint64_t xen_page_out(void *page);
int xen_page_in(void *page, uint64_t frame);
/* Maps machine frames in a row, writable, in the part of the address space that every process has. */
void *xen_map_frames(const xen_pfn_t *frames, size_t count);
/* Calls the function in the upcall when the port is pending, and unmasks the port; 0 ends it. */
int xen_port_handle(evtchn_port_t port, void (*upcall)(evtchn_port_t port));
/* Nanoseconds, out of the vcpu's time area. */
uint64_t xen_time(void);
#endif
