/*
 * The network frontend.
 *
 *     send    --> copy into free buffers --> tx ring --> backend
 *                    ^-- response: the id is looked up among the buffers under way
 *     receive <-- copy, whole frames <-- rx ring <-- backend
 *                    '-- the buffer goes back into the ring at once
 *
 * Responses of the rx ring come in order, and some are no responses but extras, without an id: so the
 * slot tells the buffer. A frame's slots are taken one by one, with the state kept in the queue, as a
 * backend may publish the first half of a frame now and the other half later, or never.
 */
#include "xg_net.h"

#include "xg_event.h"
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

struct whole {
    struct xg_net net;
    struct xg_net_private own;
};

struct xg_net_options xg_net_defaults = {
    .sg = true,
    .checksum = true,
    .checksum6 = true,
    .gso4 = true,
    .gso6 = true,
    .multicast = false,
    .split_events = true,
    .queues = 1,
    .tx_buffers = 128,
    .rx_buffers = 128,
    .send_timeout = 30000000000ull,
};
void (*xg_net_ready)(struct xg_net *net);
void (*xg_net_gone)(struct xg_net *net);

static uint32_t least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

/* Sending. */

static void tx_push(struct queue *queue)
{
    if (queue->tx.ring.ring.published == queue->tx.ring.ring.consumed)
        queue->progress = xg_os_time();
    if (xenabi_front_push(&queue->tx.ring.ring))
        xg_event_send(queue->port);
}

/* Copies parts into buffers in a row. */
static void tx_fill(struct queue *queue, const struct xg_net_part *part, size_t count,
                    const uint16_t *ids)
{
    uint32_t at = 0;

    for (; count--; part++) {
        for (size_t done = 0; done < part->length;) {
            uint32_t offset = at % XEN_PAGE_SIZE;
            uint32_t size = least(part->length - done, XEN_PAGE_SIZE - offset);
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
        uint32_t size = least(length - (size_t)i * XEN_PAGE_SIZE, XEN_PAGE_SIZE);
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

static int multicast_send(struct xg_net *net, const uint8_t *address, bool add)
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
    int error = multicast_send(net, address, add);
    if (error)
        return error;
    if (add)
        own->multicast_count++;
    else
        address = own->multicasts[--own->multicast_count];
    __builtin_memmove(own->multicasts[at], address, 6);
    return 0;
}

/* Receiving. */

static void rx_put(struct queue *queue, uint8_t index)
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
static int rx_slot(struct queue *queue)
{
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
    rx_put(queue, queue->rx_buffer[slot]);
    if (!queue->extra && !queue->more)
        frame_end(queue);
    return taken;
}

static int tx_slot(struct queue *queue)
{
    struct netif_tx_response response;
    int taken = netif_tx_front_take(&queue->tx.ring.ring, &response);

    if (taken == XENABI_RING_DONE && !tx_response(queue, &response))
        return XENABI_RING_BROKEN;
    return taken;
}

/* Takes what is there, within a budget. */
static void side_run(struct queue *queue, struct side *side, int (*slot)(struct queue *queue))
{
    struct xg_net *net = queue->net;
    uint32_t budget = BUFFERS_MAX;

    while (net->own->usable) {
        int taken = slot(queue);
        if (taken == XENABI_RING_EMPTY) {
            if (!xenabi_front_wait(&side->ring.ring))
                return;
        } else if (taken == XENABI_RING_BROKEN) {
            net->own->usable = false;
            xg_device_fault(&net->device, side == &queue->rx ? "net: impossible rx response"
                                                             : "net: impossible tx response");
        } else if (--budget == 0) {
            xg_os_wake(); /* the rest with the next poll */
            return;
        }
    }
}

/* Event context. */
static void queue_event(void *context)
{
    struct queue *queue = context;
    struct xg_net *net = queue->net;

    side_run(queue, &queue->tx, tx_slot);
    side_run(queue, &queue->rx, rx_slot);
    if (!net->own->usable)
        return;
    if (queue->rx.ring.ring.produced != queue->rx.ring.ring.published &&
        xenabi_front_push(&queue->rx.ring.ring))
        xg_event_send(queue->rx_port ? queue->rx_port : queue->port);
    if (net->own->full && queue->free_count) {
        net->own->full = false;
        if (net->writable)
            net->writable(net);
    }
}

/* Connecting. */

static struct xg_device *net_create(const char *path)
{
    struct whole *whole = xg_os_alloc(sizeof(*whole));

    (void)path;
    if (!whole)
        return 0;
    whole->net.own = &whole->own;
    whole->net.options = xg_net_defaults;
    return &whole->net.device;
}

/* A ring and its buffers, all granted. */
static int side_open(struct xg_net *net, struct side *side, size_t entry, uint32_t count, bool tx)
{
    int error = xg_ring_open(&side->ring, net->device.backend_id, 0, (uint32_t)entry);

    for (uint32_t i = 0; i < count && !error; i++)
        error = xg_page_open(&side->buffers[i], net->device.backend_id, tx);
    return error;
}

static int queue_open(struct xg_net *net, struct queue *queue)
{
    const struct xg_net_options *options = &net->options;
    domid_t backend = net->device.backend_id;
    int error;

    queue->net = net;
    queue->frame = xg_os_pages(FRAME_PAGES);
    if (!queue->frame)
        return -XEN_ENOMEM;
    error = side_open(net, &queue->tx, sizeof(union netif_tx_sring_entry), options->tx_buffers, true);
    if (!error)
        error =
            side_open(net, &queue->rx, sizeof(union netif_rx_sring_entry), options->rx_buffers, false);
    if (!error)
        error = xg_event_open(backend, queue_event, queue, &queue->port);
    if (!error && net->split_events)
        error = xg_event_open(backend, queue_event, queue, &queue->rx_port);
    if (error)
        return error;
    for (uint32_t i = 0; i < options->tx_buffers; i++)
        queue->free[queue->free_count++] = (uint16_t)i;
    for (uint32_t i = 0; i < options->rx_buffers; i++)
        rx_put(queue, (uint8_t)i);
    xenabi_front_push(&queue->rx.ring.ring);
    return 0;
}

static int net_setup(struct xg_device *device)
{
    struct xg_net *net = (struct xg_net *)(void *)device;
    struct xg_net_options *want = &net->options;
    char path[XG_PATH], mac[24];
    int error = 0;

    if (!xg_device_offer(device, "feature-rx-copy", 0))
        return -XEN_EOPNOTSUPP;
    want->tx_buffers = least(want->tx_buffers ? want->tx_buffers : 1, BUFFERS_MAX);
    want->rx_buffers = least(want->rx_buffers ? want->rx_buffers : 1, BUFFERS_MAX);
    net->sg = xg_device_agrees(device, want->sg, "feature-sg");
    net->checksum = want->checksum && !xg_device_offer(device, "feature-no-csum-offload", 0);
    net->checksum6 = xg_device_agrees(device, want->checksum6, "feature-ipv6-csum-offload");
    net->gso4 = xg_device_agrees(device, want->gso4, "feature-gso-tcpv4");
    net->gso6 = xg_device_agrees(device, want->gso6, "feature-gso-tcpv6");
    net->multicast = xg_device_agrees(device, want->multicast, "feature-multicast-control");
    net->split_events =
        xg_device_agrees(device, want->split_events, "feature-split-event-channels");
    net->mtu = least(xg_store_number(device->path, "mtu", 1500), FRAME_MAX);
    if (xg_join(path, sizeof(path), device->path, "/mac", (char *)0) &&
        xg_store_read(XG_NO_TRANSACTION, path, mac, sizeof(mac)) > 0)
        xg_parse_mac(mac, net->mac);
    net->queue_count = xg_device_queues(device, least(want->queues, QUEUES_MAX));
    for (uint32_t i = 0; i < net->queue_count && !error; i++)
        error = queue_open(net, &net->own->queues[i]);
    return error;
}

static int queue_publish(struct xg_device *device, uint32_t transaction, const char *folder,
                         uint32_t index)
{
    const struct queue *queue = &((struct xg_net *)(void *)device)->own->queues[index];
    const struct xg_key keys[] = {
        {"tx-ring-ref", queue->tx.ring.references[0]},
        {"rx-ring-ref", queue->rx.ring.references[0]},
        {queue->rx_port ? "event-channel-tx" : "event-channel", queue->port},
        {"event-channel-rx", queue->rx_port},
    };
    return xg_store_write_keys(transaction, folder, keys, queue->rx_port ? 4 : 3);
}

static int net_publish(struct xg_device *device, uint32_t transaction)
{
    struct xg_net *net = (struct xg_net *)(void *)device;
    const struct xg_key keys[] = {
        {"request-rx-copy", 1},
        {"feature-rx-notify", 1},
        {"feature-sg", net->options.sg},
        {"feature-no-csum-offload", !net->options.checksum},
        {"feature-ipv6-csum-offload", net->options.checksum6},
        {"feature-gso-tcpv4", net->options.gso4},
        {"feature-gso-tcpv6", net->options.gso6},
        {"request-multicast-control", net->multicast},
    };
    int error =
        xg_store_write_keys(transaction, device->path, keys, sizeof(keys) / sizeof(keys[0]));
    return error ? error
                 : xg_device_publish_queues(device, transaction, net->queue_count, queue_publish);
}

static int net_connected(struct xg_device *device)
{
    struct xg_net *net = (struct xg_net *)(void *)device;

    net->own->usable = true;
    for (uint32_t i = 0; i < net->own->multicast_count; i++)
        multicast_send(net, net->own->multicasts[i], true);
    if (xg_net_ready)
        xg_net_ready(net);
    return 0;
}

static void net_stop(struct xg_device *device)
{
    struct xg_net *net = (struct xg_net *)(void *)device;

    net->own->usable = false;
    for (uint32_t i = 0; i < net->queue_count; i++) {
        for (uint32_t at = 0; at < BUFFERS_MAX; at++) {
            net->lost += net->own->queues[i].tx_use[at] == FRAME;
            net->own->queues[i].tx_use[at] = FREE;
        }
    }
}

static void net_teardown(struct xg_device *device)
{
    struct xg_net *net = (struct xg_net *)(void *)device;

    for (uint32_t i = 0; i < net->queue_count; i++) {
        struct queue *queue = &net->own->queues[i];
        xg_event_close(queue->port, true);
        xg_event_close(queue->rx_port, true);
        xg_ring_close(&queue->tx.ring);
        xg_ring_close(&queue->rx.ring);
        for (uint32_t at = 0; at < BUFFERS_MAX; at++) {
            xg_page_close(&queue->tx.buffers[at]);
            xg_page_close(&queue->rx.buffers[at]);
        }
        if (queue->frame)
            xg_os_free_pages(queue->frame, FRAME_PAGES);
        __builtin_memset(queue, 0, sizeof(*queue));
    }
    net->queue_count = 0;
}

static void net_removed(struct xg_device *device)
{
    if (xg_net_gone)
        xg_net_gone((struct xg_net *)(void *)device);
    xg_os_free(device, sizeof(struct whole));
}

static void net_poll(struct xg_device *device)
{
    struct xg_net *net = (struct xg_net *)(void *)device;
    uint64_t now = xg_os_time();

    for (uint32_t i = 0; net->own->usable && i < net->queue_count; i++) {
        struct queue *queue = &net->own->queues[i];
        queue_event(queue); /* in case an event got lost */
        if (queue->tx.ring.ring.published != queue->tx.ring.ring.consumed &&
            now - queue->progress > net->options.send_timeout) {
            net->own->usable = false;
            xg_device_fault(device, "net: a response is overdue");
        }
    }
}

const struct xg_driver xg_net_driver = {
    .type = "vif",
    .published_state = XenbusStateConnected,
    .create = net_create,
    .setup = net_setup,
    .publish = net_publish,
    .connected = net_connected,
    .stop = net_stop,
    .teardown = net_teardown,
    .removed = net_removed,
    .poll = net_poll,
};
