/* Events: what interrupts are to a PV kernel. Each comes through a numbered port. */
#ifndef EVENTS_H
#define EVENTS_H

#include <stdint.h>

#include "xenabi.h"

/* Called with events masked. */
typedef void event_handler(evtchn_port_t port);

/* Masks every port. */
void events_start(void);
/* Calls the handlers of all pending ports; traps.c. */
void events_deliver(void);

/* Binds a virtual interrupt to a new port; its number, or a negative error. */
long events_bind_virq(uint32_t virq, event_handler *handler);
/* Handles a port that is open already, such as those in start_info; 0 or a negative error. */
long events_handle(evtchn_port_t port, event_handler *handler);
/* Masks a port and forgets its handler. */
void events_forget(evtchn_port_t port);

/* As cli and sti: whether events are delivered to this processor at all. */
void events_disable(void);
void events_enable(void);
/* As hlt: sleeps until an event is pending; they are enabled after. */
void events_wait(void);

#endif
