/* What your port to the PV interface has to offer, under whatever names it has there. */
#ifndef _MACHINE_XENPORT_H_
#define _MACHINE_XENPORT_H_
#include <stdint.h>
#include "xenabi.h"
extern struct start_info *xen_start_info;
/* Machine frame behind an address of the kernel: P2M of its pseudo-physical frame. */
uint64_t xen_virt_to_frame(const void *address);
/* Takes a page out of page tables and P2M, and gives its frame; puts a frame back there. */
uint64_t xen_page_out(void *page);
int xen_page_in(void *page, uint64_t frame);
/* Maps a machine frame, writable, in the kernel's address space. */
int xen_kenter_frame(uintptr_t address, uint64_t frame);
/* Calls the function in the upcall when the port is pending, and unmasks the port; and its end. */
int xen_port_establish(evtchn_port_t port, void (*upcall)(evtchn_port_t port));
void xen_port_disestablish(evtchn_port_t port);
#endif
