/* What the files of the network frontend share. See xg_net.c for how it works. */
#ifndef XG_NET_PRIVATE_H
#define XG_NET_PRIVATE_H

#include "xg_net.h"
#include "xg_shared.h"

#define QUEUES_MAX 8u
#define BUFFERS_MAX 256u
#define FRAME_MAX XEN_NETIF_MAX_TX_SIZE
#define FRAME_PAGES 16u
#define HEADER_MIN 14u
#define MULTICASTS 64u

/* A ring and the buffers that go through it. */
struct side {
    struct xg_ring ring;
    struct xg_page buffers[BUFFERS_MAX];
};

struct queue {
    struct xg_net *net;
    evtchn_port_t port, rx_port; /* rx_port: with split events alone */
    struct side tx, rx;
    enum { FREE, PIECE, FRAME } tx_use[BUFFERS_MAX]; /* FRAME: the first piece of one */
    uint16_t free[BUFFERS_MAX];
    uint32_t free_count, extras; /* extras: slots of the tx ring that are no buffers */
    uint64_t progress;           /* when tx was last answered, or began */
    uint8_t rx_buffer[BUFFERS_MAX];

    /* The frame that is being received. */
    uint8_t *frame;
    uint32_t length;
    bool open, extra, more, bad; /* extra, more: such slots follow */
    struct xg_net_offload offload;
};

struct xg_net_private {
    bool usable, full;
    struct queue queues[QUEUES_MAX];
    uint8_t multicasts[MULTICASTS][6];
    uint32_t multicast_count;
};

static inline uint32_t xgn_least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

/* Take one slot of a ring, as xg_ring_drain wants it; the context is the queue. */
int xgn_tx_slot(void *context);
int xgn_rx_slot(void *context);
/* Puts a buffer into the rx ring. */
void xgn_rx_put(struct queue *queue, uint8_t index);
int xgn_multicast_send(struct xg_net *net, const uint8_t *address, bool add);

#endif /* XG_NET_PRIVATE_H */
