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
#include "xg_net_private.h"

struct whole {
    struct xg_net net;
    struct xg_net_private own;
};

struct xg_net_options xg_net_defaults = {
    .sg = true, .checksum = true, .checksum6 = true, .gso4 = true, .gso6 = true,
    .multicast = false, .split_events = true, .queues = 1, .tx_buffers = 128, .rx_buffers = 128,
    .send_timeout = 30000000000ull,
};
void (*xg_net_ready)(struct xg_net *net);
void (*xg_net_gone)(struct xg_net *net);

static void side_run(struct queue *queue, struct side *side, int (*slot)(void *context),
                     const char *fault)
{
    struct xg_net *net = queue->net;

    if (!net->own->usable || net->device.fault ||
        xg_ring_drain(&side->ring, slot, queue, BUFFERS_MAX) != XENABI_RING_BROKEN)
        return;
    net->own->usable = false;
    xg_device_fault(&net->device, fault);
}

/* Event context; and each poll. */
static void queue_event(void *context)
{
    struct queue *queue = context;
    struct xg_net *net = queue->net;

    side_run(queue, &queue->tx, xgn_tx_slot, "net: impossible tx response");
    side_run(queue, &queue->rx, xgn_rx_slot, "net: impossible rx response");
    if (!net->own->usable)
        return;
    xg_ring_push(&queue->rx.ring, queue->rx_port ? queue->rx_port : queue->port);
    if (net->own->full && queue->free_count) {
        net->own->full = false;
        if (net->writable)
            net->writable(net);
    }
}

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
    domid_t backend = net->device.backend_id;
    int error = xg_ring_open(&side->ring, backend, 0, (uint32_t)entry);

    return error ? error : xg_pages_open(side->buffers, count, backend, tx);
}

static void side_close(struct side *side)
{
    xg_ring_close(&side->ring);
    xg_pages_close(side->buffers, BUFFERS_MAX);
}

static int queue_open(struct xg_net *net, struct queue *queue)
{
    const struct xg_net_options *want = &net->options;
    domid_t backend = net->device.backend_id;
    int error;

    queue->net = net;
    queue->frame = xg_os_pages(FRAME_PAGES);
    if (!queue->frame)
        return -XEN_ENOMEM;
    error = side_open(net, &queue->tx, sizeof(union netif_tx_sring_entry), want->tx_buffers, true);
    if (!error)
        error =
            side_open(net, &queue->rx, sizeof(union netif_rx_sring_entry), want->rx_buffers, false);
    if (!error)
        error = xg_event_open(backend, queue_event, queue, &queue->port);
    if (!error && net->split_events)
        error = xg_event_open(backend, queue_event, queue, &queue->rx_port);
    if (error)
        return error;
    for (uint32_t i = 0; i < want->tx_buffers; i++)
        queue->free[queue->free_count++] = (uint16_t)i;
    for (uint32_t i = 0; i < want->rx_buffers; i++)
        xgn_rx_put(queue, (uint8_t)i);
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
    want->tx_buffers = xgn_least(want->tx_buffers ? want->tx_buffers : 1, BUFFERS_MAX);
    want->rx_buffers = xgn_least(want->rx_buffers ? want->rx_buffers : 1, BUFFERS_MAX);
    net->sg = xg_device_agrees(device, want->sg, "feature-sg");
    net->checksum = want->checksum && !xg_device_offer(device, "feature-no-csum-offload", 0);
    net->checksum6 = xg_device_agrees(device, want->checksum6, "feature-ipv6-csum-offload");
    net->gso4 = xg_device_agrees(device, want->gso4, "feature-gso-tcpv4");
    net->gso6 = xg_device_agrees(device, want->gso6, "feature-gso-tcpv6");
    net->multicast = xg_device_agrees(device, want->multicast, "feature-multicast-control");
    net->split_events =
        xg_device_agrees(device, want->split_events, "feature-split-event-channels");
    net->mtu = xgn_least(xg_store_number(device->path, "mtu", 1500), FRAME_MAX);
    if (xg_join(path, sizeof(path), device->path, "/mac", (char *)0) &&
        xg_store_read(XG_NO_TRANSACTION, path, mac, sizeof(mac)) > 0)
        xg_parse_mac(mac, net->mac);
    net->queue_count = xg_device_queues(device, xgn_least(want->queues, QUEUES_MAX));
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
        xgn_multicast_send(net, net->own->multicasts[i], true);
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
        side_close(&queue->tx);
        side_close(&queue->rx);
        if (queue->frame)
            xg_os_free_pages(queue->frame, FRAME_PAGES);
        __builtin_memset(queue, 0, sizeof(*queue));
    }
    net->queue_count = 0;
}

static void net_removed(struct xg_device *device)
{
    if (xg_net_gone && device->connections)
        xg_net_gone((struct xg_net *)(void *)device);
    xg_os_free(device, sizeof(struct whole));
}

static void net_poll(struct xg_device *device)
{
    struct xg_net *net = (struct xg_net *)(void *)device;

    for (uint32_t i = 0; net->own->usable && i < net->queue_count; i++) {
        struct queue *queue = &net->own->queues[i];
        queue_event(queue); /* in case an event got lost */
        uint64_t now = xg_os_time(); /* only now: what the event sent has no later time */
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
