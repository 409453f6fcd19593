/* Event channels: upcalls and the calls that guests make all the time. */
#ifndef GUEST_EVENTS_H
#define GUEST_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "xenabi.h"

typedef void event_handler(evtchn_port_t port);

/* Masks all ports; start.c calls it. */
void events_initialise(void);
/* Called by trap_dispatch on an upcall: runs the handlers of what is pending and unmasked. */
void events_handle(void);

/* Called for each pending port, with events masked; 0 drops events. */
void set_event_handler(event_handler *handler);

/* The vcpu's upcall mask. Enabling makes a due upcall happen at once. */
void events_disable(void);
void events_enable(void);
bool events_enabled(void);

/* A port's bits in the shared page. */
bool port_pending(evtchn_port_t port);
bool port_masked(evtchn_port_t port);
void port_clear(evtchn_port_t port);
void port_mask(evtchn_port_t port);
/* Through EVTCHNOP_unmask, which delivers what came meanwhile. */
void port_unmask(evtchn_port_t port);

/* Hypercalls that return the port or a negative error. */
long bind_ipi(uint32_t vcpu);
long bind_virq(uint32_t virq, uint32_t vcpu);
long port_send(evtchn_port_t port);
long port_close(evtchn_port_t port);

#endif /* GUEST_EVENTS_H */
