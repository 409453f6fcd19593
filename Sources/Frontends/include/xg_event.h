/* Event channels: ports to backends, and who handles them. */
#ifndef XG_EVENT_H
#define XG_EVENT_H

#include "xg_os.h"

/* Runs in event context. */
typedef void xg_event_handler(void *context);

/* Ports that the frontends can have at a time. */
#define XG_PORTS 256
/* Never a port. */
#define XG_NO_PORT 0u

/* Makes a port that the backend's domain may bind. Negative: an error. */
int xg_event_open(domid_t backend, xg_event_handler *handler, void *context, evtchn_port_t *port);
/* The same for a port that the toolstack has made. */
int xg_event_attach(evtchn_port_t port, xg_event_handler *handler, void *context);
/* Ends the handler, and the port as well if `close`; XG_NO_PORT is left alone. */
void xg_event_close(evtchn_port_t port, bool close);
/* Notifies the other end. Any context. */
void xg_event_send(evtchn_port_t port);

/* The system calls this for each pending port of the frontends. Event context. */
void xg_event_deliver(evtchn_port_t port);
/* After a resume: no port of before exists, and their numbers may mean something else now. */
void xg_event_forget(void);
/* Ports in use. */
unsigned int xg_event_count(void);

#endif /* XG_EVENT_H */
