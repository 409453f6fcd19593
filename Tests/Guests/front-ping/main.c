/*
 * test: front-ping
 * A guest pings a neighbour on the bridge, or the gateway of QEMU's user network, with payloads of all
 * sizes, and compares every byte that comes back; what gets lost is sent again after a second. What a
 * backend broke shows in lengths and checksums and counts as lost: a frame that they call whole and that
 * is not what was sent is what must never be. An interface that goes may come back as another one. Words
 * of the command line: to=A.B.C.D (10.0.2.15, the gateway is 10.0.2.2), from=A.B.C.D (by default after
 * the domain's number: 10.0.2.15 for the first), pings=N (20), tries=N of each (30), timeout=SECONDS
 * after which a frame's answer is overdue (30), patience=SECONDS for an interface (30), queues=N.
 */
#include "front.h"

#include "xg_net.h"
#include "xg_packet.h"

#define PAYLOAD_MOST 1472u
#define SHORTEST 42u
#define IDENTIFIER 0x7867u

static struct xg_net *net;
static uint32_t own, neighbour, interfaces;
static uint8_t neighbour_mac[6];
static bool knows_neighbour, is_answered;
static uint32_t number;
static uint8_t request[ETHERNET + IP_HEADER + 8 + PAYLOAD_MOST];
static size_t request_length;
static uint64_t good, wrong;

static void send(const uint8_t *frame, size_t length)
{
    struct xg_net_part part = {frame, length};

    if (net)
        xg_net_send(net, &part, 1, 0, 0);
}

/* Asks everybody for the neighbour, or answers `to`. */
static void send_arp(const uint8_t *to, uint32_t operation, uint32_t target)
{
    uint8_t frame[ARP_FRAME] = {0};

    if (!net)
        return;
    memset(frame, 0xff, 6);
    if (to)
        memcpy(frame, to, 6);
    memcpy(frame + 6, net->mac, 6);
    put16(frame + 12, ETHERTYPE_ARP);
    put16(frame + 14, 1);
    put16(frame + 16, ETHERTYPE_IP);
    put16(frame + 18, 0x0604);
    put16(frame + 20, operation);
    memcpy(frame + 22, net->mac, 6);
    put32(frame + 28, own);
    if (to)
        memcpy(frame + 32, to, 6);
    put32(frame + 38, target);
    send(frame, sizeof(frame));
}

static void make_ping(void)
{
    size_t payload = number * 397 % (PAYLOAD_MOST + 1);
    uint8_t *ip = request + ETHERNET, *icmp = ip + IP_HEADER;

    memset(request, 0, sizeof(request));
    memcpy(request, neighbour_mac, 6);
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

static void send_ping(void)
{
    if (!net)
        return;
    memcpy(request + 6, net->mac, 6);
    send(request, request_length);
}

static void receive_arp(const uint8_t *frame)
{
    if (get16(frame + 20) == 2 && get32(frame + 28) == neighbour) {
        memcpy(neighbour_mac, frame + 22, 6);
        knows_neighbour = true;
    } else if (get16(frame + 20) == 1 && get32(frame + 38) == own) {
        send_arp(frame + 22, 2, get32(frame + 28));
    }
}

/* The answer to the ping that is under way; what it carries must be what was sent. */
static void receive_ip(const uint8_t *frame, size_t length)
{
    const uint8_t *ip = frame + ETHERNET, *icmp = ip + IP_HEADER;
    const uint8_t *sent = request + ETHERNET + IP_HEADER;
    size_t total = get16(ip + 2), size = request_length - ETHERNET;

    if (!request_length || ip[0] != 0x45 || total < IP_HEADER + 8 || total > length - ETHERNET ||
        checksum_of(ip, IP_HEADER) || ip[9] != PROTOCOL_ICMP || get32(ip + 16) != own ||
        get32(ip + 12) != neighbour)
        return;
    if (checksum_of(icmp, total - IP_HEADER) || icmp[0] != 0 || get16(icmp + 4) != IDENTIFIER)
        return;
    if (get16(icmp + 6) != get16(sent + 6) || is_answered)
        return; /* an earlier one, late or doubled */
    is_answered = true;
    if (total == size && memcmp(icmp + 8, sent + 8, size - IP_HEADER - 8) == 0)
        good++;
    else
        wrong++;
}

static void receive(struct xg_net *from, const uint8_t *frame, size_t length,
                    const struct xg_net_offload *offload)
{
    /* The backend can write to the frame while it is looked at. */
    static uint8_t copy[65536];

    if (length < SHORTEST || length > sizeof(copy))
        return;
    memcpy(copy, frame, length);
    if (get16(copy + 12) == ETHERTYPE_ARP)
        receive_arp(copy);
    else if (get16(copy + 12) == ETHERTYPE_IP)
        receive_ip(copy, length);
}

static void ready(struct xg_net *found)
{
    if (net != found)
        life_say("interface ", life_text(++interfaces), " comes", (char *)0);
    net = found;
    net->receive = receive;
}

static void gone(struct xg_net *lost)
{
    life_say("an interface goes", (char *)0);
    if (net == lost)
        net = 0;
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

static uint32_t address_by_number(void)
{
    char text[24];
    uint64_t domain = 1;

    if (xg_store_read(0, "domid", text, sizeof(text)) > 0)
        xg_parse_number(text, &domain);
    return 0x0a00020e + (uint32_t)domain;
}

static void ping_neighbour(uint64_t wanted, uint64_t tries)
{
    uint64_t again = 0;

    for (uint64_t i = 0; i < tries && !knows_neighbour; i++) {
        send_arp(0, 1, neighbour);
        life_until(is_known, SECONDS);
    }
    life_check("the neighbour has an address", knows_neighbour);
    for (; knows_neighbour && number < wanted; number++) {
        make_ping();
        is_answered = false;
        for (uint64_t i = 0; i < tries && !is_answered; i++) {
            again += i > 0;
            send_ping();
            life_until(has_answer, SECONDS);
        }
    }
    life_say("answered ", life_text(good), " pings, sent again ", life_text(again), ", interfaces ",
             life_text(interfaces), (char *)0);
    life_check("every ping answered", good == wanted);
    life_check("every byte as sent", wrong == 0);
}

void test_main(void)
{
    static const struct xg_driver *const drivers[] = {&xg_net_driver};

    neighbour = life_address("to=", 0x0a00020f);
    xg_net_ready = ready;
    xg_net_gone = gone;
    xg_net_defaults.queues = (uint32_t)life_number("queues=", 1);
    xg_net_defaults.send_timeout = life_number("timeout=", 30) * SECONDS;
    front_start(drivers, 1);
    own = life_address("from=", address_by_number());
    life_check("an interface", life_until(is_ready, life_number("patience=", 30) * SECONDS));
    if (net)
        ping_neighbour(life_number("pings=", 20), life_number("tries=", 30));
    front_end(life_end());
}
