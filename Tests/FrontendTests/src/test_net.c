/* Network interfaces: the matrix of features, and each fault of the backend by name. */
#include <stdlib.h>
#include <string.h>

#include "net_model.h"
#include "store_model.h"
#include "tests.h"
#include "xg_event.h"
#include "xg_grant.h"
#include "xg_net.h"

#define REMEMBERED 65536u

/*
 * Each frame carries its own length, a serial number and bytes that follow from it, so that what comes
 * back is judged by itself; a table tells which serials are back already.
 */
static struct {
    struct xg_net *net;
    unsigned int sent, refused, back, doubled, wrong, gso_back, blank_back;
    uint32_t serial;
    bool seen[REMEMBERED];
} run;
static size_t pages_before, bytes_before;

static uint8_t byte_of(uint32_t serial, uint32_t at)
{
    return (uint8_t)(serial * 31 + at * 7 + (at >> 8));
}

static void make(uint8_t *frame, uint32_t length, uint32_t serial)
{
    for (uint32_t at = 0; at < length; at++)
        frame[at] = byte_of(serial, at);
    memcpy(frame, &serial, 4);
    memcpy(frame + 4, &length, 4);
}

static void receive(struct xg_net *net, const uint8_t *frame, size_t length,
                    const struct xg_net_offload *offload)
{
    uint32_t serial, told;

    (void)net;
    CHECK(length >= 14 && length <= 65535);
    memcpy(&serial, frame, 4);
    memcpy(&told, frame + 4, 4);
    bool right = told == length && serial < REMEMBERED;
    for (uint32_t at = 8; right && at < length; at++)
        right = frame[at] == byte_of(serial, at);
    if (!right) {
        run.wrong++;
        return;
    }
    run.back++;
    run.gso_back += offload->gso_type != 0;
    run.blank_back += offload->checksum_blank;
    run.doubled += run.seen[serial];
    run.seen[serial] = true;
}

static void ready(struct xg_net *net)
{
    net->receive = receive;
    run.net = net;
}

static void gone(struct xg_net *net)
{
    (void)net;
    run.net = 0;
}

static bool is_up(void *context)
{
    (void)context;
    return run.net && run.net->device.phase == XG_RUNNING && !run.net->device.fault;
}

static bool is_down(void *context)
{
    (void)context;
    return !run.net && host_ports() == 0;
}

static struct net_model everything(void)
{
    return (struct net_model){.id = 0, .copies = true, .sg = true, .checksum6 = true, .gso4 = true,
                              .gso6 = true, .multicast = true, .split = true, .queues = 4};
}

static bool start(struct net_model *model)
{
    static const struct xg_driver *const drivers[] = {&xg_net_driver};

    xg_net_ready = ready;
    xg_net_gone = gone;
    store_model_start();
    net_model_start(model);
    if (xg_grants_start(32) || xg_store_start() || xg_bus_start(drivers, 1))
        return false;
    pages_before = host_pages_used();
    bytes_before = host_bytes_used();
    return host_until(is_up, 0, 10000000000ull);
}

/* Sends one frame of random size and features that are allowed now. */
static void send_one(void)
{
    static uint8_t frame[65535];
    struct xg_net *net = run.net;
    uint32_t most = net->sg ? 65535 : 4096;
    uint32_t length = host_chance(70) ? 60 + host_below(1455) : 14 + host_below(most - 13);
    struct xg_net_part parts[3];
    struct xg_net_offload offload = {0};

    if (host_chance(40))
        offload.checksum_blank = net->checksum;
    if (offload.checksum_blank && net->gso4 && host_chance(50))
        offload.gso_type = XEN_NETIF_GSO_TYPE_TCPV4;
    else if (offload.checksum_blank && net->gso6 && host_chance(30))
        offload.gso_type = XEN_NETIF_GSO_TYPE_TCPV6;
    offload.gso_size = 1448;
    make(frame, length, run.serial);
    uint32_t first = host_below(length), second = host_below(length - first);
    parts[0] = (struct xg_net_part){frame, first};
    parts[1] = (struct xg_net_part){frame + first, second};
    parts[2] = (struct xg_net_part){frame + first + second, length - first - second};
    if (xg_net_send(net, parts, 3, &offload, run.serial)) {
        run.refused++;
    } else {
        run.sent++;
        run.serial++;
    }
}

static void send_many(unsigned int wanted)
{
    unsigned int target = run.sent + wanted;
    uint64_t deadline = xg_os_time() + 1000000000000ull;

    while (run.sent < target && xg_os_time() < deadline) {
        for (unsigned int i = 0; i < 6 && run.net && run.sent < target; i++)
            send_one();
        xg_os_wait(xg_os_time() + 1000000000);
        xg_bus_poll();
    }
    CHECK(run.sent >= target);
    for (unsigned int i = 0; i < 60; i++) {
        xg_os_wait(xg_os_time() + 1000000000);
        xg_bus_poll();
    }
}

static void end(struct net_model *model, uint32_t kept)
{
    net_model_remove(model);
    CHECK(host_until(is_down, 0, 10000000000ull));
    for (unsigned int i = 0; i < 100; i++)
        xg_bus_poll();
    CHECK(xg_grants_used() == kept && xg_grants_deferred() == kept);
    CHECK(host_pages_used() == pages_before + kept);
    CHECK(host_bytes_used() == bytes_before);
    CHECK(xg_event_count() == 1);
}

static void whole_life(struct net_model *model, unsigned int frames)
{
    CHECK(start(model));
    send_many(frames);
    CHECK(model->frames == run.sent && run.net->sent == run.sent);
    CHECK(run.back == model->sent_back && run.net->received == run.back);
    CHECK(run.wrong == 0 && run.doubled == 0);
    CHECK(run.net->lost == 0 && run.net->receive_errors == 0 && run.net->send_errors == 0);
    CHECK(model->protocol_errors == 0);
    end(model, 0);
}

static void net_all_features(void)
{
    struct net_model model = everything();
    static const uint8_t mac[6] = {0, 0x16, 0x3e, 0x0a, 0xbc, 0x7f};

    xg_net_defaults.multicast = true;
    xg_net_defaults.queues = 3;
    CHECK(start(&model));
    CHECK(memcmp(run.net->mac, mac, 6) == 0 && run.net->mtu == 1500);
    send_many(5000);
    CHECK(model.frames == run.sent && run.back == model.sent_back && run.back > 4000);
    CHECK(run.wrong == 0 && run.doubled == 0 && model.protocol_errors == 0);
    CHECK(run.gso_back && run.blank_back && model.queues_used == 3 && model.split_used);
    CHECK(model.pieces > model.frames);
    end(&model, 0);
}

static void net_no_features(void)
{
    struct net_model model = {.copies = true, .no_checksum = true};
    struct xg_net_part part = {"a frame that is long enough", 27};
    struct xg_net_offload blank = {.checksum_blank = true};

    CHECK(start(&model));
    CHECK(xg_net_send(run.net, &part, 1, &blank, 0) == -XEN_EINVAL);
    part.length = 4097;
    CHECK(xg_net_send(run.net, &part, 1, 0, 0) == -XEN_EMSGSIZE);
    send_many(2000);
    CHECK(model.frames == run.sent && run.back == model.sent_back && run.back > 1500);
    CHECK(model.pieces == model.frames && !model.gso_frames && !model.blank_frames);
    CHECK(run.wrong == 0 && model.protocol_errors == 0);
    end(&model, 0);
}

static void net_feature_matrix(void)
{
    for (unsigned int bits = 0; bits < 128; bits++) {
        if (tests_child()) {
            struct net_model model = everything();
            xg_net_defaults.sg = bits & 1;
            xg_net_defaults.checksum = bits & 2;
            xg_net_defaults.gso4 = bits & 4;
            xg_net_defaults.gso6 = bits & 8;
            xg_net_defaults.split_events = bits & 16;
            xg_net_defaults.queues = bits & 32 ? 4 : 1;
            xg_net_defaults.checksum6 = bits & 64;
            whole_life(&model, 150);
            CHECK((model.pieces > model.frames) == (bits & 1));
            CHECK((model.blank_frames != 0) == !!(bits & 2));
            CHECK((model.gso_frames != 0) == ((bits & 2) && (bits & 12)));
            CHECK(model.split_used == !!(bits & 16) && (model.queues_used == 4) == !!(bits & 32));
            tests_child_end();
        }
    }
}

static void net_without_copying(void)
{
    struct net_model model = everything();

    model.copies = false;
    CHECK(!start(&model));
    CHECK(model.connects == 0 && xg_grants_used() == 0);
}

static void net_bad_frames(void)
{
    static uint8_t bytes[70000];
    struct net_model model = everything();
    struct xg_net_part part = {bytes, 13}, two[2] = {{bytes, 40000}, {bytes, 40000}};
    struct xg_net_offload offload = {.gso_type = XEN_NETIF_GSO_TYPE_TCPV4, .gso_size = 1000};

    CHECK(start(&model));
    CHECK(xg_net_send(run.net, &part, 1, 0, 0) == -XEN_EINVAL);
    part.length = 65536;
    CHECK(xg_net_send(run.net, &part, 1, 0, 0) == -XEN_EMSGSIZE);
    part.length = SIZE_MAX;
    CHECK(xg_net_send(run.net, &part, 1, 0, 0) == -XEN_EMSGSIZE);
    CHECK(xg_net_send(run.net, two, 2, 0, 0) == -XEN_EMSGSIZE);
    part.length = 3000;
    CHECK(xg_net_send(run.net, &part, 1, &offload, 0) == -XEN_EINVAL); /* without csum_blank */
    offload.checksum_blank = true;
    offload.gso_size = 0;
    CHECK(xg_net_send(run.net, &part, 1, &offload, 0) == -XEN_EINVAL);
    offload.gso_type = 3;
    CHECK(xg_net_send(run.net, &part, 1, &offload, 0) == -XEN_EINVAL);
    CHECK(model.frames == 0);
    end(&model, 0);
}

static unsigned int writable_calls;

static void writable(struct xg_net *net)
{
    (void)net;
    writable_calls++;
}

/* The ring runs full: an error, a call when there is room, and all that was taken arrives. */
static void net_full_ring(void)
{
    struct net_model model = everything();
    unsigned int taken = 0;

    model.silent = true;
    CHECK(start(&model));
    run.net->writable = writable;
    while (run.refused == 0 && taken++ < 1000)
        send_one();
    CHECK(run.refused == 1 && run.sent > 10);
    host_run(1000);
    CHECK(writable_calls == 1 && model.frames == run.sent);
    end(&model, 0);
}

static void net_multicast(void)
{
    struct net_model model = everything();
    uint8_t address[6] = {1, 0, 0x5e, 0, 0, 0};

    xg_net_defaults.multicast = true;
    CHECK(start(&model));
    for (uint8_t i = 0; i < 64; i++) {
        address[5] = i;
        CHECK(xg_net_multicast(run.net, address, true) == 0);
        CHECK(xg_net_multicast(run.net, address, true) == 0); /* known: nothing is sent */
        host_run(10);
    }
    address[5] = 99;
    CHECK(xg_net_multicast(run.net, address, true) == -XEN_ENOSPC);
    address[5] = 5;
    CHECK(xg_net_multicast(run.net, address, false) == 0);
    host_run(10);
    CHECK(model.multicast_adds == 64 && model.multicast_dels == 1);
    xg_device_fault(&run.net->device, "the test"); /* connects anew: the list is told again */
    CHECK(host_until(is_up, 0, 10000000000ull));
    host_run(10);
    CHECK(model.connects == 2 && model.multicast_adds == 64 + 63);
    CHECK(model.protocol_errors == 0);
    end(&model, 0);
}

static const struct {
    enum net_fault fault;
    bool reconnects;
    unsigned int count;
} expectations[] = {
    {NET_TX_WRONG_ID, true, 1},
    {NET_TX_HUGE_ID, true, 1},
    {NET_TX_DOUBLED, true, 1},
    {NET_TX_DROPPED, true, 1},
    {NET_TX_INDEX, true, 1},
    {NET_TX_NULL, false, 1},
    {NET_TX_ERROR, false, 5},
    {NET_RX_WRONG_ID, true, 1},
    {NET_RX_OFFSET, true, 1},
    {NET_RX_NEGATIVE, false, 5},
    {NET_RX_TOO_LONG, false, 3},
    {NET_RX_INDEX, true, 1},
    {NET_RX_EXTRA_TYPE, false, 5},
    {NET_RX_GSO_ZERO, false, 5},
    {NET_RX_GSO_TYPE, false, 5},
    {NET_RX_ENDLESS_EXTRAS, false, 5},
    {NET_RX_CHAIN_UNASKED, false, 5},
    {NET_RX_HALF_A_FRAME, false, 5},
    {NET_RX_EMPTY, false, 5},
    {NET_RX_SCRIBBLED, false, 3},
    {NET_NO_EVENTS, false, 1000},
    {NET_VANISHES, true, 3},
    {NET_CLOSES, true, 3},
    {NET_RESTARTS, true, 3},
};

static void fault_once(size_t index, uint64_t seed)
{
    struct net_model model = everything();
    enum net_fault fault = expectations[index].fault;
    bool honest = fault == NET_TX_ERROR || fault == NET_RX_NEGATIVE || fault >= NET_NO_EVENTS;

    host_start(seed);
    xg_net_defaults.send_timeout = 200000000;
    if (fault == NET_RX_CHAIN_UNASKED)
        xg_net_defaults.sg = false;
    model.fault = fault;
    model.fault_after = 100;
    model.fault_count = expectations[index].count;
    CHECK(start(&model));
    send_many(400);
    CHECK(host_until(is_up, 0, 100000000000ull));
    model.fault_count = 0;
    unsigned int before = run.back, sent_back = model.sent_back;
    send_many(200);
    CHECK(model.struck > 0 && (!expectations[index].reconnects || model.connects > 1));
    CHECK(run.doubled == 0);
    /* Pieces of two frames can be joined by a backend that lies about ends; the frame is then wrong as
     * a whole, which the sums of IP and TCP are for. What no fault may do is what is checked here. */
    CHECK(!honest || run.wrong == 0);
    /* After the fault everything works as before. */
    CHECK(run.back - before + 5 >= model.sent_back - sent_back && run.back > before + 100);
    end(&model, 0);
}

static void net_faults(void)
{
    for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++) {
        for (uint64_t seed = 1; seed <= 4; seed++) {
            if (tests_child_named("net fault", net_fault_name(expectations[i].fault), seed)) {
                fault_once(i, seed);
                tests_child_end();
            }
        }
    }
}

static void net_keeps_mapped(void)
{
    struct net_model model = everything();

    model.fault = NET_KEEPS_MAPPED;
    model.fault_count = 1;
    CHECK(start(&model));
    send_many(200);
    end(&model, 2);
    CHECK(host_mapped() == 2);
}

const struct test net_tests[] = {
    {"net: all features, 5,000 frames, bytes", net_all_features},
    {"net: a backend that offers nothing", net_no_features},
    {"net: every combination of seven features", net_feature_matrix},
    {"net: a backend that cannot copy is refused", net_without_copying},
    {"net: frames that cannot be are refused", net_bad_frames},
    {"net: the ring runs full", net_full_ring},
    {"net: multicast filter, told again after a reconnection", net_multicast},
    {"net: faults by name", net_faults},
    {"net: keeps the rings mapped", net_keeps_mapped},
    {0, 0},
};
