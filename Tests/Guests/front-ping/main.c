/*
 * test: front-ping
 * A guest pings its neighbour on the bridge, "pings=N" times (20), with payloads of up to 1472 bytes,
 * and compares every byte of the answers. Words of the command line: to=A.B.C.D (10.0.2.15), its own
 * address as from=A.B.C.D (10.0.2.100).
 */
#include "front.h"

#include "xg_net.h"
#include "xg_packet.h"

#define PAYLOAD_MOST 1472u
#define TRIES 30u
#define IDENTIFIER 0x7867u

static struct xg_net *net;
static uint32_t own, neighbour;
static uint8_t neighbour_mac[6];
static bool knows_neighbour, is_answered;
static uint8_t request[ETHERNET + IP_HEADER + 8 + PAYLOAD_MOST];
static size_t request_length;
static uint64_t differing;

static void send(const uint8_t *frame, size_t length)
{
    struct xg_net_part part = {frame, length};

    xg_net_send(net, &part, 1, 0, 0);
}

static void send_arp(void)
{
    uint8_t frame[ARP_FRAME] = {0};

    memset(frame, 0xff, 6);
    memcpy(frame + 6, net->mac, 6);
    put16(frame + 12, ETHERTYPE_ARP);
    put16(frame + 14, 1);
    put16(frame + 16, ETHERTYPE_IP);
    put16(frame + 18, 0x0604);
    put16(frame + 20, 1);
    memcpy(frame + 22, net->mac, 6);
    put32(frame + 28, own);
    put32(frame + 38, neighbour);
    send(frame, sizeof(frame));
}

static void make_ping(uint32_t number)
{
    size_t payload = number * 397 % (PAYLOAD_MOST + 1);
    uint8_t *ip = request + ETHERNET, *icmp = ip + IP_HEADER;

    memset(request, 0, sizeof(request));
    memcpy(request, neighbour_mac, 6);
    memcpy(request + 6, net->mac, 6);
    put16(request + 12, ETHERTYPE_IP);
    ip[0] = 0x45;
    put16(ip + 2, (uint32_t)(IP_HEADER + 8 + payload));
    put16(ip + 4, number);
    ip[8] = 64;
    ip[9] = PROTOCOL_ICMP;
    put32(ip + 12, own);
    put32(ip + 16, neighbour);
    put16(ip + 10, checksum_of(ip, IP_HEADER));
    icmp[0] = 8;
    put16(icmp + 4, IDENTIFIER);
    put16(icmp + 6, number);
    for (size_t i = 0; i < payload; i++)
        icmp[8 + i] = (uint8_t)((number + 1) * 0x9e3779b9u * (i + 1) >> 13);
    put16(icmp + 2, checksum_of(icmp, 8 + payload));
    request_length = ETHERNET + IP_HEADER + 8 + payload;
}

/* The answer to the ping that is under way; what it carries must be what was sent. */
static void receive_ping(const uint8_t *frame, size_t length)
{
    const uint8_t *ip = frame + ETHERNET, *icmp = ip + IP_HEADER;
    const uint8_t *sent = request + ETHERNET + IP_HEADER;
    size_t size = request_length - ETHERNET - IP_HEADER;

    if (length < request_length || ip[0] != 0x45 || ip[9] != PROTOCOL_ICMP ||
        get32(ip + 16) != own || get32(ip + 12) != neighbour || icmp[0] != 0 ||
        get16(icmp + 6) != get16(sent + 6))
        return;
    if (get16(ip + 2) != IP_HEADER + size || checksum_of(icmp, size) ||
        memcmp(icmp + 4, sent + 4, size - 4))
        differing++;
    is_answered = true;
}

static void receive(struct xg_net *from, const uint8_t *frame, size_t length,
                    const struct xg_net_offload *offload)
{
    if (length < ARP_FRAME)
        return;
    if (get16(frame + 12) == ETHERTYPE_ARP && get16(frame + 20) == 2 &&
        get32(frame + 28) == neighbour) {
        memcpy(neighbour_mac, frame + 22, 6);
        knows_neighbour = true;
    } else if (get16(frame + 12) == ETHERTYPE_IP && request_length) {
        receive_ping(frame, length);
    }
}

static void ready(struct xg_net *found)
{
    net = found;
    net->receive = receive;
}

static bool is_ready(void)
{
    return net != 0;
}

static bool is_known(void)
{
    return knows_neighbour;
}

static bool has_answer(void)
{
    return is_answered;
}

static void ping_neighbour(uint64_t wanted)
{
    uint64_t answered = 0, again = 0;

    for (unsigned int i = 0; i < TRIES && !knows_neighbour; i++) {
        send_arp();
        life_until(is_known, SECONDS);
    }
    life_check("the neighbour has an address", knows_neighbour);
    for (uint32_t number = 0; knows_neighbour && number < wanted; number++) {
        make_ping(number);
        is_answered = false;
        for (unsigned int i = 0; i < TRIES && !is_answered; i++) {
            again += i > 0;
            send(request, request_length);
            life_until(has_answer, SECONDS);
        }
        if (!is_answered)
            break;
        answered++;
    }
    life_say("answered ", life_text(answered), " pings, sent again ", life_text(again), (char *)0);
    life_check("every ping answered", answered == wanted);
    life_check("every byte as sent", differing == 0);
}

void test_main(void)
{
    static const struct xg_driver *const drivers[] = {&xg_net_driver};

    own = life_address("from=", 0x0a000264);
    neighbour = life_address("to=", 0x0a00020f);
    xg_net_ready = ready;
    front_start(drivers, 1);
    life_check("an interface", life_until(is_ready, 30 * SECONDS));
    if (net)
        ping_neighbour(life_number("pings=", 20));
    front_end(life_end());
}
