/*
 * Event channels. A table from ports to handlers, probed from the port's own place on, so that
 * any port number works; an upcall looks at one entry in nearly every case.
 */
#include "xg_event.h"

struct channel {
    evtchn_port_t port;
    xg_event_handler *handler;
    void *context;
};

static struct channel channels[XG_PORTS];
static unsigned int used;

static struct channel *channel_find(evtchn_port_t port, bool vacant)
{
    for (unsigned int step = 0; step < XG_PORTS; step++) {
        struct channel *channel = &channels[(port + step) % XG_PORTS];
        if (channel->port == (vacant ? XG_NO_PORT : port))
            return channel;
    }
    return 0;
}

int xg_event_attach(evtchn_port_t port, xg_event_handler *handler, void *context)
{
    if (port == XG_NO_PORT || channel_find(port, false))
        return -XEN_EINVAL;
    struct channel *channel = channel_find(port, true);
    if (!channel)
        return -XEN_ENOSPC;
    *channel = (struct channel){port, handler, context};
    used++;
    int error = xg_os_port_open(port);
    if (error) {
        channel->port = XG_NO_PORT;
        used--;
    }
    return error;
}

int xg_event_open(domid_t backend, xg_event_handler *handler, void *context, evtchn_port_t *port)
{
    struct evtchn_alloc_unbound unbound = {.dom = DOMID_SELF, .remote_dom = backend, .port = 0};
    long result = xg_os_event_op(EVTCHNOP_alloc_unbound, &unbound);
    int error;

    if (result)
        return (int)result;
    error = xg_event_attach(unbound.port, handler, context);
    if (error) {
        struct evtchn_close close = {.port = unbound.port};
        xg_os_event_op(EVTCHNOP_close, &close);
        return error;
    }
    *port = unbound.port;
    return 0;
}

void xg_event_close(evtchn_port_t port, bool close)
{
    struct evtchn_close argument = {.port = port};
    struct channel *channel = port == XG_NO_PORT ? 0 : channel_find(port, false);

    if (!channel)
        return;
    xg_os_port_close(port);
    *channel = (struct channel){0};
    used--;
    if (close)
        xg_os_event_op(EVTCHNOP_close, &argument);
}

void xg_event_send(evtchn_port_t port)
{
    struct evtchn_send send = {.port = port};
    xg_os_event_op(EVTCHNOP_send, &send);
}

void xg_event_deliver(evtchn_port_t port)
{
    struct channel *channel = port == XG_NO_PORT ? 0 : channel_find(port, false);

    /* An event may come late, after its device has closed the port. */
    if (channel)
        channel->handler(channel->context);
}

void xg_event_forget(void)
{
    for (unsigned int i = 0; i < XG_PORTS; i++)
        channels[i] = (struct channel){0};
    used = 0;
}

unsigned int xg_event_count(void)
{
    return used;
}
