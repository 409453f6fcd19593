/*
 * Network interfaces. Frames are copied into and out of pages of the driver's own, which stay
 * granted for as long as a connection lasts: a backend sees frames and nothing beside them, and a
 * frame that has been handed on does not change any more.
 */
#ifndef XG_NET_H
#define XG_NET_H

#include "xg_bus.h"

/* What travels with a frame in either direction. */
struct xg_net_offload {
    bool checksum_blank; /* the TCP or UDP checksum holds the pseudo-header's sum only */
    bool validated;      /* received: the checksum is known to be good */
    uint8_t gso_type;    /* XEN_NETIF_GSO_TYPE; with checksum_blank always */
    uint16_t gso_size;   /* payload of each packet that the frame is to be cut into */
};

struct xg_net_part {
    const void *data;
    size_t length;
};

struct xg_net_options {
    bool sg, checksum, checksum6, gso4, gso6, multicast, split_events;
    uint32_t queues;                 /* up to 8 */
    uint32_t tx_buffers, rx_buffers; /* pages of a queue, up to 256 each */
    uint64_t send_timeout;           /* nanoseconds until an answer counts as lost */
};

struct xg_net {
    struct xg_device device;
    struct xg_net_options options; /* changes show at the next connection */
    uint8_t mac[6];
    uint32_t mtu;
    /* Of the present connection, for sending: */
    bool sg, checksum, checksum6, gso4, gso6, multicast, split_events;
    uint32_t queue_count;
    /* Counters: frames. Lost are those that the backend had not answered when it went. */
    uint64_t sent, send_errors, lost, received, receive_errors;
    /* The owner's; event or driver context. The frame is gone after the call. */
    void (*receive)(struct xg_net *net, const uint8_t *frame, size_t length,
                    const struct xg_net_offload *offload);
    void (*writable)(struct xg_net *net); /* after -XEN_EAGAIN there is room again; may be 0 */
    void *context;
    struct xg_net_private *own;
};

extern const struct xg_driver xg_net_driver;
/* For interfaces found from now on. */
extern struct xg_net_options xg_net_defaults;
/* An interface can be used, first and after each reconnection; one that was ready before is about to be
 * freed. May be 0. */
extern void (*xg_net_ready)(struct xg_net *net);
extern void (*xg_net_gone)(struct xg_net *net);

/* Sends a frame made of parts; equal flows stay in order. -XEN_EAGAIN: no room now. Any context. */
int xg_net_send(struct xg_net *net, const struct xg_net_part *parts, size_t count,
                const struct xg_net_offload *offload, uint32_t flow);
/* Adds or takes away an address that the backend's filter lets through, up to 64. Without a filter
 * all multicasts come. Any context. */
int xg_net_multicast(struct xg_net *net, const uint8_t address[6], bool add);

#endif /* XG_NET_H */
