/*
 * The backend: a wire with a mirror at its end. Each frame that comes is put together, judged, and
 * sent back, in the pieces that the frontend allows.
 */
#include "net_model.h"

#include <stdlib.h>
#include <string.h>

#include "store_model.h"

#define QUEUES 8u
#define FRAME 65536u

static const char *const names[NET_FAULTS] = {
    "good", "tx-wrong-id", "tx-huge-id", "tx-doubled", "tx-dropped", "tx-index", "tx-null",
    "tx-error", "rx-wrong-id", "rx-offset", "rx-negative", "rx-too-long", "rx-index",
    "rx-extra-type", "rx-gso-zero", "rx-gso-type", "rx-endless-extras", "rx-chain-unasked",
    "rx-half-a-frame", "rx-empty", "rx-scribbled", "no-events", "vanishes", "closes", "restarts",
    "keeps-mapped",
};

struct net_queue {
    struct xenabi_ring tx, rx;
    grant_ref_t tx_reference, rx_reference;
    evtchn_port_t tx_port, rx_port;
    /* The frame that is being put together. */
    uint8_t frame[FRAME];
    uint32_t length, total, first_id;
    bool open, more, extra, blank;
    uint8_t gso;
    uint16_t gso_size;
};

struct net_model_private {
    char path[96], front[96];
    unsigned int state;
    bool connected, dead, stale; /* stale: the frontend is still connected to a predecessor */
    uint64_t age;
    bool front_sg, front_gso4, front_gso6;
    struct net_queue queues[QUEUES];
    unsigned int queue_count, answers;
};

const char *net_fault_name(enum net_fault fault)
{
    return names[fault];
}

static void set_state(struct net_model *model, unsigned int state)
{
    char path[128];
    model->own->state = state;
    snprintf(path, sizeof(path), "%s/state", model->own->path);
    store_set_number(path, state);
}

static void offer(struct net_model *model, const char *key, uint64_t value)
{
    char path[160];
    snprintf(path, sizeof(path), "%s/%s", model->own->path, key);
    store_set_number(path, value);
}

static uint64_t front_number(struct net_model *model, const char *folder, const char *key,
                             uint64_t otherwise)
{
    char path[192];
    snprintf(path, sizeof(path), "%s/%s%s%s", model->own->front, folder, *folder ? "/" : "", key);
    return store_get_number(path, otherwise);
}

static bool strike(struct net_model *model, enum net_fault fault)
{
    if (model->fault != fault || model->fault_count == 0 ||
        model->own->answers < model->fault_after)
        return false;
    model->fault_count--;
    model->struck++;
    return true;
}

static void disconnect(struct net_model *model)
{
    struct net_model_private *own = model->own;

    for (unsigned int i = 0; i < own->queue_count; i++) {
        if (strike(model, NET_KEEPS_MAPPED))
            continue;
        host_unmap(own->queues[i].tx_reference, true);
        host_unmap(own->queues[i].rx_reference, true);
    }
    memset(own->queues, 0, sizeof(own->queues));
    own->queue_count = 0;
    own->connected = false;
}

static bool connect(struct net_model *model)
{
    struct net_model_private *own = model->own;
    unsigned int count = (unsigned int)front_number(model, "", "multi-queue-num-queues", 1);

    if (count == 0 || count > (model->queues ? model->queues : 1) ||
        front_number(model, "", "request-rx-copy", 0) != 1)
        goto fail;
    for (unsigned int i = 0; i < count; i++) {
        struct net_queue *queue = &own->queues[i];
        char folder[16] = "";
        if (count > 1)
            snprintf(folder, sizeof(folder), "queue-%u", i);
        queue->tx_reference = (grant_ref_t)front_number(model, folder, "tx-ring-ref", 0);
        queue->rx_reference = (grant_ref_t)front_number(model, folder, "rx-ring-ref", 0);
        void *tx = host_map(queue->tx_reference, 0, true);
        void *rx = host_map(queue->rx_reference, 0, true);
        if (!tx || !rx)
            goto fail;
        own->queue_count = i + 1;
        netif_tx_back_attach(&queue->tx, tx, XEN_PAGE_SIZE);
        netif_rx_back_attach(&queue->rx, rx, XEN_PAGE_SIZE);
        evtchn_port_t both = (evtchn_port_t)front_number(model, folder, "event-channel", 0);
        queue->tx_port = (evtchn_port_t)front_number(model, folder, "event-channel-tx", both);
        queue->rx_port = (evtchn_port_t)front_number(model, folder, "event-channel-rx", both);
        model->split_used = queue->tx_port != queue->rx_port;
        if (!host_port_open(queue->tx_port) || !host_port_open(queue->rx_port))
            goto fail;
    }
    own->front_sg = front_number(model, "", "feature-sg", 0);
    own->front_gso4 = front_number(model, "", "feature-gso-tcpv4", 0);
    own->front_gso6 = front_number(model, "", "feature-gso-tcpv6", 0);
    model->queues_used = count;
    own->connected = true;
    model->connects++;
    return true;
fail:
    model->protocol_errors++;
    return false;
}

/* To the guest. */

static bool rx_one(struct net_queue *queue, struct netif_rx_request *request)
{
    return netif_rx_back_take(&queue->rx, request) == XENABI_RING_DONE;
}

static uint32_t rx_room(struct net_queue *queue)
{
    return queue->rx.shared->req_prod - queue->rx.consumed;
}

bool net_model_send(struct net_model *model, unsigned int index, const uint8_t *frame,
                    uint32_t length, uint32_t piece, uint8_t gso, uint16_t flags)
{
    struct net_queue *queue = &model->own->queues[index];
    uint32_t needed = (length + piece - 1) / piece + (gso ? 1 : 0);
    bool extra_type = strike(model, NET_RX_EXTRA_TYPE), zero = strike(model, NET_RX_GSO_ZERO);
    bool odd_type = strike(model, NET_RX_GSO_TYPE), half = strike(model, NET_RX_HALF_A_FRAME);
    bool endless = strike(model, NET_RX_ENDLESS_EXTRAS), too_long = strike(model, NET_RX_TOO_LONG);
    bool empty = strike(model, NET_RX_EMPTY);
    uint32_t extras = endless ? 60 : gso || extra_type || zero || odd_type ? 1 : 0;

    if (rx_room(queue) < needed + extras + (too_long ? 30 : 0))
        return false;
    for (uint32_t at = 0; at < length || too_long;) {
        struct netif_rx_request request;
        uint32_t size = length - at < piece ? length - at : piece;
        if (!rx_one(queue, &request))
            break;
        uint8_t *page = host_copy_access(request.gref, 0, true);
        if (!page || request.id != ((queue->rx.consumed - 1) & 255)) {
            model->protocol_errors++;
            break;
        }
        if (too_long)
            size = 4096;
        else
            memcpy(page + (XEN_PAGE_SIZE - size) / 2, frame + at, size);
        bool more = too_long ? at < 90000 : at + size < length;
        struct netif_rx_response response = {
            .id = request.id, .offset = (uint16_t)((XEN_PAGE_SIZE - size) / 2),
            .flags = (uint16_t)((more ? NETRXF_more_data : 0) |
                                (at == 0 ? flags | (extras ? NETRXF_extra_info : 0) : 0)),
            .status = (int16_t)size};
        if (strike(model, NET_RX_WRONG_ID))
            response.id ^= 1;
        if (strike(model, NET_RX_OFFSET))
            response.offset = 4000, response.status = 200;
        if (strike(model, NET_RX_NEGATIVE))
            response.status = NETIF_RSP_ERROR;
        if (strike(model, NET_RX_CHAIN_UNASKED))
            response.flags |= NETRXF_more_data;
        if (empty)
            response.status = 0;
        netif_rx_back_put(&queue->rx, &response);
        for (uint32_t i = 0; i < extras && at == 0; i++) {
            struct netif_extra_info extra = {
                .type = extra_type ? 77 : XEN_NETIF_EXTRA_TYPE_GSO,
                .flags = i + 1 < extras ? XEN_NETIF_EXTRA_FLAG_MORE : 0,
                .u = {.gso = {.size = zero ? 0 : 1400, .type = odd_type ? 9 : gso ? gso : 1}}};
            rx_one(queue, &request);
            xenabi_back_put(&queue->rx, &extra, sizeof(extra));
        }
        at += size;
        if (half || (too_long && !more))
            break;
    }
    if (strike(model, NET_RX_INDEX))
        queue->rx.produced += 3000;
    if (xenabi_back_push(&queue->rx) && !(model->fault == NET_NO_EVENTS && model->fault_count))
        host_port_notify(queue->rx_port);
    model->sent_back++;
    return true;
}

/* From the guest. */

static void frame_complete(struct net_model *model, unsigned int index)
{
    struct net_model_private *own = model->own;
    struct net_queue *queue = &own->queues[index];
    uint32_t piece = own->front_sg ? 1 + host_below(4096) : 4096;
    uint8_t gso = queue->gso;

    model->frames++;
    queue->open = false;
    if (queue->length != queue->total || queue->length < 14)
        model->protocol_errors++;
    if ((gso == XEN_NETIF_GSO_TYPE_TCPV4 && !own->front_gso4) ||
        (gso == XEN_NETIF_GSO_TYPE_TCPV6 && !own->front_gso6))
        gso = 0;
    if (model->silent || (queue->length > 4096 && !own->front_sg))
        return;
    if (piece < queue->length / 60 + 1)
        piece = queue->length / 60 + 1; /* 60 slots are in any case there */
    if (!net_model_send(model, index, queue->frame, queue->length, piece, gso,
                        queue->blank ? NETRXF_csum_blank | NETRXF_data_validated : 0))
        model->no_room++;
}

static void tx_answer(struct net_model *model, struct net_queue *queue, uint16_t id, int16_t status)
{
    struct netif_tx_response response = {.id = id, .status = status};

    model->own->answers++;
    if (status != NETIF_RSP_NULL) {
        if (strike(model, NET_TX_DROPPED))
            return;
        if (strike(model, NET_TX_WRONG_ID))
            response.id = (uint16_t)(response.id ^ 0x55);
        if (strike(model, NET_TX_HUGE_ID))
            response.id = 60000;
        if (strike(model, NET_TX_NULL))
            response.status = NETIF_RSP_NULL;
        if (strike(model, NET_TX_ERROR))
            response.status = NETIF_RSP_ERROR;
        if (strike(model, NET_TX_DOUBLED)) {
            netif_tx_back_put(&queue->tx, &response);
            queue->tx.consumed++; /* one that has not come: there is a place for the second answer */
        }
    }
    netif_tx_back_put(&queue->tx, &response);
    if (strike(model, NET_TX_INDEX))
        queue->tx.produced += 700;
}

/* An extra slot of a frame. */
static void tx_extra(struct net_model *model, struct net_queue *queue,
                     const struct netif_extra_info *extra)
{
    queue->extra = extra->flags & XEN_NETIF_EXTRA_FLAG_MORE;
    if (extra->type == XEN_NETIF_EXTRA_TYPE_GSO) {
        queue->gso = extra->u.gso.type;
        queue->gso_size = extra->u.gso.size;
        model->gso_frames++;
        if (!(queue->gso == XEN_NETIF_GSO_TYPE_TCPV4 ? model->gso4 : model->gso6) ||
            queue->gso_size == 0 || !queue->blank)
            model->protocol_errors++;
    } else if (extra->type == XEN_NETIF_EXTRA_TYPE_MCAST_ADD && model->multicast) {
        model->multicast_adds++;
    } else if (extra->type == XEN_NETIF_EXTRA_TYPE_MCAST_DEL && model->multicast) {
        model->multicast_dels++;
    } else {
        model->protocol_errors++;
    }
    tx_answer(model, queue, 0, NETIF_RSP_NULL);
}

static void tx_piece(struct net_model *model, struct net_queue *queue,
                     const struct netif_tx_request *request)
{
    uint32_t size = request->size;
    uint8_t *page = host_copy_access(request->gref, 0, false);

    if (!queue->open) {
        queue->open = true;
        queue->length = 0;
        queue->total = request->size;
        queue->extra = request->flags & NETTXF_extra_info;
        queue->blank = request->flags & NETTXF_csum_blank;
        queue->gso = 0;
        if (queue->blank) {
            model->blank_frames++;
            if (model->no_checksum && !model->checksum6)
                model->protocol_errors++;
        }
        if (request->flags & NETTXF_more_data)
            size = size < XEN_PAGE_SIZE ? size : XEN_PAGE_SIZE;
    }
    queue->more = request->flags & NETTXF_more_data;
    model->pieces++;
    if (!page || request->offset + size > XEN_PAGE_SIZE || queue->length + size > FRAME ||
        (queue->more && !model->sg))
        model->protocol_errors++;
    else
        memcpy(queue->frame + queue->length, page + request->offset, size);
    queue->length += size;
    tx_answer(model, queue, request->id, NETIF_RSP_OKAY);
}

static bool serve(struct net_model *model)
{
    struct net_model_private *own = model->own;
    bool any = false;

    for (unsigned int i = 0; i < own->queue_count; i++) {
        struct net_queue *queue = &own->queues[i];
        host_port_take(queue->tx_port);
        host_port_take(queue->rx_port);
        for (unsigned int budget = 24; budget; budget--) {
            union {
                struct netif_tx_request request;
                struct netif_extra_info extra;
            } entry;
            int taken = xenabi_back_take(&queue->tx, &entry, sizeof(entry));
            if (taken == XENABI_RING_BROKEN)
                model->protocol_errors++;
            if (taken == XENABI_RING_EMPTY && xenabi_back_wait(&queue->tx))
                continue;
            if (taken != XENABI_RING_DONE)
                break;
            any = true;
            if (queue->open && queue->extra)
                tx_extra(model, queue, &entry.extra);
            else
                tx_piece(model, queue, &entry.request);
            if (queue->open && !queue->extra && !queue->more) {
                if (queue->total)
                    frame_complete(model, i);
                queue->open = false; /* of size 0: it carried extras only */
            }
        }
        if (queue->tx.produced != queue->tx.published && xenabi_back_push(&queue->tx) &&
            !(model->fault == NET_NO_EVENTS && model->fault_count))
            host_port_notify(queue->tx_port);
    }
    if (strike(model, NET_NO_EVENTS) || strike(model, NET_RX_SCRIBBLED)) {
        for (unsigned int i = 0; i < 64 && model->fault == NET_RX_SCRIBBLED && own->queue_count; i++)
            ((uint8_t *)own->queues[0].rx.entries)[host_below(2048)] = (uint8_t)host_random();
    }
    if (strike(model, NET_CLOSES)) {
        set_state(model, XenbusStateClosing);
    } else if (strike(model, NET_RESTARTS)) {
        disconnect(model);
        own->stale = true;
        set_state(model, XenbusStateInitWait);
    } else if (strike(model, NET_VANISHES)) {
        char path[128];
        snprintf(path, sizeof(path), "%s/state", own->path);
        disconnect(model);
        own->dead = true;
        own->age = xg_os_time();
        store_remove(path);
    }
    return any;
}

static void announce(struct net_model *model)
{
    offer(model, "feature-rx-copy", model->copies);
    offer(model, "feature-sg", model->sg);
    offer(model, "feature-no-csum-offload", model->no_checksum);
    offer(model, "feature-ipv6-csum-offload", model->checksum6);
    offer(model, "feature-gso-tcpv4", model->gso4);
    offer(model, "feature-gso-tcpv6", model->gso6);
    offer(model, "feature-multicast-control", model->multicast);
    offer(model, "feature-split-event-channels", model->split);
    if (model->queues)
        offer(model, "multi-queue-max-queues", model->queues);
    set_state(model, XenbusStateInitWait);
}

static bool step(void *context)
{
    struct net_model *model = context;
    struct net_model_private *own = model->own;
    uint64_t front = front_number(model, "", "state", XenbusStateUnknown);

    if (own->dead) {
        if (model->fault == NET_VANISHES && xg_os_time() - own->age > 50000000) {
            own->dead = false;
            announce(model);
        }
        return false;
    }
    switch (own->state) {
    case XenbusStateInitWait:
        if (front != XenbusStateConnected) {
            own->stale = false;
            return false;
        }
        if (own->stale)
            return false;
        if (!connect(model)) {
            disconnect(model);
            return false;
        }
        set_state(model, XenbusStateConnected);
        return true;
    case XenbusStateConnected:
        if (front == XenbusStateClosing || front == XenbusStateClosed) {
            disconnect(model);
            set_state(model, XenbusStateClosing);
            return true;
        }
        return serve(model);
    case XenbusStateClosing:
        if (front != XenbusStateClosed)
            return false;
        disconnect(model);
        set_state(model, XenbusStateClosed);
        return true;
    case XenbusStateClosed:
        if (front != XenbusStateInitialising)
            return false;
        announce(model);
        return true;
    default:
        return false;
    }
}

void net_model_start(struct net_model *model)
{
    struct net_model_private *own = calloc(1, sizeof(*own));
    char path[160];

    model->own = own;
    snprintf(own->front, sizeof(own->front), HOME "/device/vif/%u", model->id);
    snprintf(own->path, sizeof(own->path), "/local/domain/0/backend/vif/1/%u", model->id);
    offer(model, "online", 1);
    snprintf(path, sizeof(path), "%s/backend-id", own->front);
    store_set(path, "0");
    snprintf(path, sizeof(path), "%s/mac", own->front);
    store_set(path, "00:16:3e:0a:Bc:7f");
    snprintf(path, sizeof(path), "%s/state", own->front);
    store_set(path, "1");
    announce(model);
    snprintf(path, sizeof(path), "%s/backend", own->front);
    store_set(path, own->path);
    host_add_model(step, model);
}

void net_model_remove(struct net_model *model)
{
    disconnect(model);
    model->own->dead = true;
    store_remove(model->own->path);
    store_remove(model->own->front);
}

void net_model_kill(struct net_model *model)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/state", model->own->path);
    disconnect(model);
    model->own->dead = true;
    store_remove(path);
}

void net_model_revive(struct net_model *model)
{
    model->own->dead = false;
    announce(model);
}

struct xenabi_ring *net_model_ring(struct net_model *model, unsigned int queue, bool tx)
{
    struct net_model_private *own = model->own;
    return queue >= own->queue_count ? 0 : tx ? &own->queues[queue].tx : &own->queues[queue].rx;
}

void net_model_notify(struct net_model *model)
{
    for (unsigned int i = 0; i < model->own->queue_count; i++) {
        host_port_notify(model->own->queues[i].tx_port);
        host_port_notify(model->own->queues[i].rx_port);
    }
}
