/*
 * test: front-ping-gateway
 * A guest pings the gateway of QEMU's user network (10.0.2.2) with payloads of all sizes and compares
 * every byte that comes back; what gets lost is sent again after a second. "rounds=N" of the command
 * line (40), "tries=N" of each (20), "timeout=SECONDS" after which a frame's answer is overdue. Its
 * address follows from the domain's number. An interface that goes may come back as another one.
 */
#include "front.h"

#include "xg_net.h"

#define GATEWAY 0x0a000202u
#define PAYLOAD_MAX 1400u

static struct xg_net *net;
static uint32_t address, interfaces;
static uint8_t gateway[6];
static bool has_gateway, is_answered;
static uint32_t round_number;
static uint64_t good, wrong, sent, lost;

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

/* The Internet checksum (RFC 1071); 0 over bytes that contain their own. */
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

static void send_frame(uint8_t *frame, size_t length)
{
    struct xg_net_part part = {frame, length};

    if (net)
        xg_net_send(net, &part, 1, 0, 0);
}

static void send_arp(const uint8_t *to, uint32_t operation, uint32_t target)
{
    static const uint8_t everybody[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint8_t frame[60] = {0};

    if (!net)
        return;
    memcpy(frame, to ? to : everybody, 6);
    memcpy(frame + 6, net->mac, 6);
    put16(frame + 12, 0x0806);
    put32(frame + 14, 0x00010800);
    put32(frame + 18, 0x06040000 | operation);
    memcpy(frame + 22, net->mac, 6);
    put32(frame + 28, address);
    if (to)
        memcpy(frame + 32, to, 6);
    put32(frame + 38, target);
    send_frame(frame, sizeof(frame));
}

static uint32_t payload_size(uint32_t round)
{
    return 1 + round * 353 % PAYLOAD_MAX;
}

static uint8_t payload_byte(uint32_t round, uint32_t index)
{
    return (uint8_t)(((round + 1) * 0x9e3779b1u + index * 0x85ebca6bu) >> 13);
}

static void send_ping(uint32_t round)
{
    static uint8_t frame[42 + PAYLOAD_MAX];
    uint8_t *ip = frame + 14, *icmp = ip + 20;
    uint32_t size = payload_size(round);

    if (!net)
        return;
    memset(frame, 0, 42);
    memcpy(frame, gateway, 6);
    memcpy(frame + 6, net->mac, 6);
    put16(frame + 12, 0x0800);
    ip[0] = 0x45;
    put16(ip + 2, 28 + size);
    ip[8] = 64;
    ip[9] = 1;
    put32(ip + 12, address);
    put32(ip + 16, GATEWAY);
    put16(ip + 10, sum_of(ip, 20));
    icmp[0] = 8;
    put16(icmp + 4, 0x7867);
    put16(icmp + 6, round);
    for (uint32_t i = 0; i < size; i++)
        icmp[8 + i] = payload_byte(round, i);
    put16(icmp + 2, sum_of(icmp, 8 + size));
    sent++;
    send_frame(frame, 42 + size);
}

static void receive_arp(const uint8_t *frame)
{
    const uint8_t *arp = frame + 14;

    if (get32(arp + 14) == GATEWAY && get16(arp + 6) == 2) {
        memcpy(gateway, arp + 8, 6);
        has_gateway = true;
    } else if (get16(arp + 6) == 1 && get32(arp + 24) == address) {
        send_arp(arp + 8, 2, get32(arp + 14));
    }
}

/* What a backend broke shows in lengths and checksums, and counts as lost; a frame that they call
 * whole and that is not what was sent is what must never be. */
static void receive_ip(const uint8_t *frame, size_t length)
{
    const uint8_t *ip = frame + 14, *icmp = ip + 20;
    uint32_t total = get16(ip + 2), size;

    if (ip[0] != 0x45 || total < 28 || total > length - 14 || sum_of(ip, 20) || ip[9] != 1 ||
        get32(ip + 16) != address || get32(ip + 12) != GATEWAY)
        return;
    if (sum_of(icmp, total - 20) || icmp[0] != 0 || get16(icmp + 4) != 0x7867)
        return;
    size = total - 28;
    if (get16(icmp + 6) != round_number || is_answered)
        return; /* an earlier one, late or doubled */
    is_answered = true;
    bool equal = size == payload_size(round_number);
    for (uint32_t i = 0; i < size && equal; i++)
        equal = icmp[8 + i] == payload_byte(round_number, i);
    (*(equal ? &good : &wrong))++;
}

static void receive(struct xg_net *from, const uint8_t *frame, size_t length,
                    const struct xg_net_offload *offload)
{
    static uint8_t copy[65536];

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
    if (net != found)
        print("interface %u comes\n", ++interfaces);
    net = found;
    net->receive = receive;
}

static void gone(struct xg_net *lost_one)
{
    print("an interface goes\n");
    if (net == lost_one)
        net = 0;
}

static bool is_ready(void)
{
    return net != 0;
}

static bool knows_gateway(void)
{
    return has_gateway;
}

static bool has_answer(void)
{
    return is_answered;
}

void test_main(void)
{
    static const struct xg_driver *const drivers[] = {&xg_net_driver};
    uint64_t rounds = life_number("rounds=", 40), tries = life_number("tries=", 20);

    xg_net_ready = ready;
    xg_net_gone = gone;
    xg_net_defaults.queues = (uint32_t)life_number("queues=", 1);
    xg_net_defaults.send_timeout = life_number("timeout=", 30) * SECONDS;
    front_start(drivers, 1);
    char text[24];
    uint64_t number = 1;
    if (xg_store_read(0, "domid", text, sizeof(text)) > 0)
        xg_parse_number(text, &number);
    address = 0x0a00020e + (uint32_t)number;
    life_check("an interface", life_until(is_ready, life_number("patience=", 20) * SECONDS));
    if (!net)
        front_end(life_end());
    for (uint64_t attempt = 0; attempt < tries && !has_gateway; attempt++) {
        send_arp(0, 1, GATEWAY);
        life_until(knows_gateway, SECONDS);
    }
    life_check("the gateway answers", has_gateway);
    for (round_number = 0; has_gateway && round_number < rounds; round_number++) {
        is_answered = false;
        for (uint64_t attempt = 0; attempt < tries && !is_answered; attempt++) {
            send_ping(round_number);
            if (!life_until(has_answer, SECONDS))
                lost++;
        }
    }
    life_say("sent ", life_text(sent), ", good ", life_text(good), ", wrong ", life_text(wrong),
        ", lost ", life_text(lost), ", interfaces ", life_text(interfaces), (char *)0);
    life_check("all were answered", good == rounds);
    life_check("every byte as sent", wrong == 0);
    front_end(life_end());
}
