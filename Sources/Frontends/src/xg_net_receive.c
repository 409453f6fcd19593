/* Frames from the backend, slot by slot. */
#include "xg_net_private.h"

void xgn_rx_put(struct queue *queue, uint8_t index)
{
    uint32_t slot = queue->rx.ring.ring.produced & (queue->rx.ring.ring.count - 1);
    struct netif_rx_request request = {.id = (uint16_t)slot,
                                       .gref = queue->rx.buffers[index].reference};

    queue->rx_buffer[slot] = index;
    netif_rx_front_put(&queue->rx.ring.ring, &request);
}

static void frame_end(struct queue *queue)
{
    struct xg_net *net = queue->net;
    bool good = !queue->bad && queue->length >= HEADER_MIN;

    queue->open = false;
    (*(good ? &net->received : &net->receive_errors))++;
    if (good && net->receive)
        net->receive(net, queue->frame, queue->length, &queue->offload);
}

/* An extra in place of a response. What it may hold is checked against what we have offered. */
static void rx_extra(struct queue *queue, const struct netif_extra_info *extra)
{
    const struct xg_net_options *options = &queue->net->options;

    queue->extra = extra->flags & XEN_NETIF_EXTRA_FLAG_MORE;
    if (extra->type != XEN_NETIF_EXTRA_TYPE_GSO) {
        queue->bad |= extra->type != XEN_NETIF_EXTRA_TYPE_HASH;
        return;
    }
    bool known = (extra->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV4 && options->gso4) ||
                 (extra->u.gso.type == XEN_NETIF_GSO_TYPE_TCPV6 && options->gso6);
    queue->bad |= !known || extra->u.gso.size == 0;
    queue->offload.gso_type = extra->u.gso.type;
    queue->offload.gso_size = extra->u.gso.size;
}

/* A response; false: the backend breaks the protocol. */
static bool rx_response(struct queue *queue, uint32_t slot, const struct netif_rx_response *response)
{
    const struct xg_page *buffer = &queue->rx.buffers[queue->rx_buffer[slot]];
    bool sg = queue->net->options.sg;

    if (response->id != slot)
        return false;
    queue->more = response->flags & NETRXF_more_data;
    if (!queue->open) {
        queue->open = true;
        queue->bad = queue->more && !sg;
        queue->length = 0;
        queue->extra = response->flags & NETRXF_extra_info;
        queue->offload = (struct xg_net_offload){
            .checksum_blank = response->flags & NETRXF_csum_blank,
            .validated = response->flags & (NETRXF_data_validated | NETRXF_csum_blank)};
    }
    if (response->status < 0) {
        queue->bad = true; /* its other slots are still taken, and thrown away */
        return true;
    }
    uint32_t size = (uint16_t)response->status;
    if (response->offset + size > XEN_PAGE_SIZE)
        return false;
    queue->bad |= queue->length + size > FRAME_MAX;
    if (queue->bad)
        return true;
    xenabi_copy(queue->frame + queue->length, buffer->page + response->offset, size);
    queue->length += size;
    return true;
}

/* Takes one slot, and puts its buffer back into the ring. */
int xgn_rx_slot(void *context)
{
    struct queue *queue = context;
    union {
        struct netif_rx_response response;
        struct netif_extra_info extra;
    } entry;
    uint32_t slot = queue->rx.ring.ring.consumed & (queue->rx.ring.ring.count - 1);
    int taken = xenabi_front_take(&queue->rx.ring.ring, &entry, sizeof(entry));

    if (taken != XENABI_RING_DONE)
        return taken;
    if (queue->open && queue->extra)
        rx_extra(queue, &entry.extra);
    else if (!rx_response(queue, slot, &entry.response))
        return XENABI_RING_BROKEN;
    xgn_rx_put(queue, queue->rx_buffer[slot]);
    if (!queue->extra && !queue->more)
        frame_end(queue);
    return taken;
}
