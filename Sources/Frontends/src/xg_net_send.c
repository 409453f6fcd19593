/* Frames to the backend, and what is told it about multicasts. */
#include "xg_net_private.h"

/* The time counts from the first frame that waits for its answer. */
static void tx_push(struct queue *queue)
{
    if (queue->tx.ring.ring.published == queue->tx.ring.ring.consumed)
        queue->progress = xg_os_time();
    xg_ring_push(&queue->tx.ring, queue->port);
}

/* Copies parts into buffers in a row. */
static void tx_fill(struct queue *queue, const struct xg_net_part *part, size_t count,
                    const uint16_t *ids)
{
    uint32_t at = 0;

    for (; count--; part++) {
        for (size_t done = 0; done < part->length;) {
            uint32_t offset = at % XEN_PAGE_SIZE;
            uint32_t size = xgn_least(part->length - done, XEN_PAGE_SIZE - offset);
            uint8_t *page = queue->tx.buffers[ids[at / XEN_PAGE_SIZE]].page;
            __builtin_memcpy(page + offset, (const uint8_t *)part->data + done, size);
            done += size;
            at += size;
        }
    }
}

static uint16_t tx_take(struct queue *queue, bool frame)
{
    uint16_t id = queue->free[--queue->free_count];
    queue->tx_use[id] = frame ? FRAME : PIECE;
    return id;
}

static bool offload_allowed(const struct xg_net *net, const struct xg_net_offload *offload)
{
    switch (offload->gso_type) {
    case XEN_NETIF_GSO_TYPE_NONE:
        return !offload->checksum_blank || net->checksum || net->checksum6;
    case XEN_NETIF_GSO_TYPE_TCPV4:
        return net->gso4 && offload->checksum_blank && offload->gso_size;
    case XEN_NETIF_GSO_TYPE_TCPV6:
        return net->gso6 && offload->checksum_blank && offload->gso_size;
    default:
        return false;
    }
}

int xg_net_send(struct xg_net *net, const struct xg_net_part *parts, size_t count,
                const struct xg_net_offload *offload, uint32_t flow)
{
    static const struct xg_net_offload none;
    uint16_t ids[FRAME_PAGES];
    size_t length = 0;

    offload = offload ? offload : &none;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].length > FRAME_MAX || (length += parts[i].length) > FRAME_MAX)
            return -XEN_EMSGSIZE;
    }
    uint32_t pages = (uint32_t)((length + XEN_PAGE_SIZE - 1) / XEN_PAGE_SIZE);
    uint32_t extras = offload->gso_type ? 1 : 0;
    if (!net->own->usable)
        return -XEN_ENOTCONN;
    if (length < HEADER_MIN || !offload_allowed(net, offload))
        return -XEN_EINVAL;
    if ((pages > 1 && !net->sg) || pages > net->options.tx_buffers)
        return -XEN_EMSGSIZE;
    struct queue *queue = &net->own->queues[flow % net->queue_count];
    if (queue->free_count < pages || xenabi_front_free(&queue->tx.ring.ring) < pages + extras) {
        net->own->full = true;
        return -XEN_EAGAIN;
    }

    for (uint32_t i = 0; i < pages; i++)
        ids[i] = tx_take(queue, i == 0);
    tx_fill(queue, parts, count, ids);
    for (uint32_t i = 0; i < pages; i++) {
        uint32_t size = xgn_least(length - (size_t)i * XEN_PAGE_SIZE, XEN_PAGE_SIZE);
        unsigned int flags = i + 1 < pages ? NETTXF_more_data : 0;
        if (i == 0)
            flags |= (offload->checksum_blank ? NETTXF_csum_blank | NETTXF_data_validated : 0) |
                     (extras ? NETTXF_extra_info : 0);
        struct netif_tx_request request = {.gref = queue->tx.buffers[ids[i]].reference,
                                           .flags = (uint16_t)flags, .id = ids[i],
                                           .size = (uint16_t)(i ? size : length)};
        netif_tx_front_put(&queue->tx.ring.ring, &request);
        if (i == 0 && extras) {
            struct netif_extra_info extra = {.type = XEN_NETIF_EXTRA_TYPE_GSO, .u = {.gso = {
                .size = offload->gso_size, .type = offload->gso_type}}};
            xenabi_front_put(&queue->tx.ring.ring, &extra, sizeof(extra));
            queue->extras++;
        }
    }
    tx_push(queue);
    return 0;
}

/* One response; false: it answers nothing that was sent. */
static bool tx_response(struct queue *queue, const struct netif_tx_response *response)
{
    struct xg_net *net = queue->net;

    queue->progress = xg_os_time();
    if (response->status == NETIF_RSP_NULL) {
        if (queue->extras == 0)
            return false;
        queue->extras--;
        return true;
    }
    if (response->id >= BUFFERS_MAX || queue->tx_use[response->id] == FREE)
        return false;
    if (queue->tx_use[response->id] == FRAME)
        (*(response->status == NETIF_RSP_OKAY ? &net->sent : &net->send_errors))++;
    queue->tx_use[response->id] = FREE;
    queue->free[queue->free_count++] = response->id;
    return true;
}

/* Multicast filter. */

int xgn_multicast_send(struct xg_net *net, const uint8_t *address, bool add)
{
    struct queue *queue = &net->own->queues[0];
    struct netif_extra_info extra = {
        .type = add ? XEN_NETIF_EXTRA_TYPE_MCAST_ADD : XEN_NETIF_EXTRA_TYPE_MCAST_DEL};

    if (!net->own->usable || !net->multicast)
        return 0; /* told at the next connection */
    if (queue->free_count == 0 || xenabi_front_free(&queue->tx.ring.ring) < 2)
        return -XEN_EAGAIN;
    uint16_t id = tx_take(queue, false);
    struct netif_tx_request request = {.gref = queue->tx.buffers[id].reference,
                                       .flags = NETTXF_extra_info, .id = id};
    __builtin_memcpy(extra.u.mcast.addr, address, 6);
    netif_tx_front_put(&queue->tx.ring.ring, &request);
    xenabi_front_put(&queue->tx.ring.ring, &extra, sizeof(extra));
    queue->extras++;
    tx_push(queue);
    return 0;
}

int xg_net_multicast(struct xg_net *net, const uint8_t address[6], bool add)
{
    struct xg_net_private *own = net->own;
    uint32_t at = 0;

    while (at < own->multicast_count && __builtin_memcmp(own->multicasts[at], address, 6))
        at++;
    if ((at < own->multicast_count) == add)
        return 0;
    if (add && at == MULTICASTS)
        return -XEN_ENOSPC;
    int error = xgn_multicast_send(net, address, add);
    if (error)
        return error;
    if (add)
        own->multicast_count++;
    else
        address = own->multicasts[--own->multicast_count];
    __builtin_memmove(own->multicasts[at], address, 6);
    return 0;
}

int xgn_tx_slot(void *context)
{
    struct queue *queue = context;
    struct netif_tx_response response;
    int taken = netif_tx_front_take(&queue->tx.ring.ring, &response);

    return taken == XENABI_RING_DONE && !tx_response(queue, &response) ? XENABI_RING_BROKEN : taken;
}
