/*
 * test: front-net-faults
 * A guest answers ARP, ping, and UDP to port 7 on its first interface, for "seconds=N" of the command
 * line (30), or until a datagram has said "end". Its address is "ip=N", the four bytes as one
 * number (10.0.2.15 is 167772687).
 */
#include "front.h"

#include "xg_net.h"

static struct xg_net *net;
static uint32_t address;
static bool is_told_to_end;
static uint64_t arps, pings, datagrams, others;

static uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

/* The Internet checksum (RFC 1071). */
static uint32_t sum_of(const uint8_t *data, size_t length)
{
    uint32_t sum = 0;

    for (size_t i = 0; i + 1 < length; i += 2)
        sum += get16(data + i);
    if (length & 1)
        sum += (uint32_t)data[length - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

static void answer(uint8_t *frame, size_t length)
{
    struct xg_net_part part = {frame, length};

    memcpy(frame, frame + 6, 6);
    memcpy(frame + 6, net->mac, 6);
    xg_net_send(net, &part, 1, 0, 0);
}

static void receive_arp(uint8_t *frame)
{
    uint8_t *arp = frame + 14;

    if (get16(arp + 6) != 1 || get32(arp + 24) != address)
        return;
    arps++;
    put16(arp + 6, 2);
    memcpy(arp + 18, arp + 8, 10); /* the asker becomes the target */
    memcpy(arp + 8, net->mac, 6);
    put32(arp + 14, address);
    answer(frame, 42);
}

static void receive_ip(uint8_t *frame, size_t length)
{
    uint8_t *ip = frame + 14;
    size_t header = (ip[0] & 15u) * 4u, total = get16(ip + 2);

    if (ip[0] >> 4 != 4 || header < 20 || total < header + 8 || total > length - 14 ||
        get32(ip + 16) != address || (get16(ip + 6) & 0x3fff))
        return;
    uint8_t *payload = ip + header;
    if (ip[9] == 1 && payload[0] == 8) {
        pings++;
        payload[0] = 0;
        put16(payload + 2, 0);
        put16(payload + 2, sum_of(payload, total - header));
    } else if (ip[9] == 17 && get16(payload + 2) == 7) {
        datagrams++;
        if (payload[8] == 'e' && payload[9] == 'n' && payload[10] == 'd')
            is_told_to_end = true;
        put16(payload + 2, get16(payload));
        put16(payload, 7);
        put16(payload + 6, 0); /* no checksum */
    } else {
        others++;
        return;
    }
    put32(ip + 16, get32(ip + 12));
    put32(ip + 12, address);
    put16(ip + 10, 0);
    put16(ip + 10, sum_of(ip, header));
    answer(frame, 14 + total);
}

static void receive(struct xg_net *from, const uint8_t *frame, size_t length,
                    const struct xg_net_offload *offload)
{
    static uint8_t copy[65536];

    (void)from;
    (void)offload;
    if (length < 42)
        return;
    memcpy(copy, frame, length);
    if (get16(copy + 12) == 0x0806)
        receive_arp(copy);
    else if (get16(copy + 12) == 0x0800)
        receive_ip(copy, length);
}

static void ready(struct xg_net *found)
{
    if (!net) {
        net = found;
        net->receive = receive;
    }
}

static void gone(struct xg_net *lost)
{
    if (net == lost)
        net = 0;
}

static bool is_ready(void)
{
    return net != 0;
}

static bool has_enough(void)
{
    return is_told_to_end;
}

void test_main(void)
{
    static const struct xg_driver *const drivers[] = {&xg_net_driver};

    xg_net_ready = ready;
    xg_net_gone = gone;
    xg_net_defaults.queues = (uint32_t)life_number("queues=", 1);
    xg_net_defaults.sg = !life_has("no-sg");
    xg_net_defaults.checksum = !life_has("no-checksum");
    if (life_has("no-gso"))
        xg_net_defaults.gso4 = xg_net_defaults.gso6 = false;
    address = (uint32_t)life_number("ip=", 167772687);
    front_start(drivers, 1);
    life_check("an interface", life_until(is_ready, 30 * SECONDS));
    if (!net)
        front_end(life_end());
    life_say(life_text(net->queue_count), " queues", net->sg ? ", sg" : "", net->checksum ? ", checksum" : "",
        net->gso4 ? ", gso4" : "", net->split_events ? ", split events" : "", (char *)0);
    life_until(has_enough, life_number("seconds=", 30) * SECONDS);
    life_say("arp ", life_text(arps), ", ping ", life_text(pings), ", udp ", life_text(datagrams),
        ", other ", life_text(others), (char *)0);
    life_check("frames came", arps + pings + datagrams + others > 0);
    front_end(life_end());
}
