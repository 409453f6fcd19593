/* Datagrams, pings and ARP. Every number in a frame is somebody else's: it is compared before use. */
#include "udp.h"

#include "text.h"
#include "xg_packet.h"

#define UDP_HEADER 8u
#define FRAME_MOST (ETHERNET + IP_HEADER + UDP_HEADER + UDP_MOST)

static struct xg_net *net;
static uint32_t address;
static uint16_t port;
static udp_answer *answer;

/* The frame goes back to where it came from. */
static void send_back(uint8_t *frame, size_t length)
{
    struct xg_net_part part = {frame, length};

    memcpy(frame, frame + 6, 6);
    memcpy(frame + 6, net->mac, 6);
    xg_net_send(net, &part, 1, 0, 0);
}

static void receive_arp(uint8_t *frame)
{
    uint8_t *arp = frame + ETHERNET;

    if (get16(arp + 6) != 1 || get32(arp + 24) != address)
        return;
    put16(arp + 6, 2);
    memcpy(arp + 18, arp + 8, 10); /* the asker becomes the target */
    memcpy(arp + 8, net->mac, 6);
    put32(arp + 14, address);
    send_back(frame, ARP_FRAME);
}

/* The length of the answer, header and all; 0: there is none. */
static size_t answer_ping(uint8_t *icmp, size_t length)
{
    if (icmp[0] != 8 || checksum_of(icmp, length))
        return 0;
    icmp[0] = 0;
    put16(icmp + 2, 0);
    put16(icmp + 2, checksum_of(icmp, length));
    return length;
}

/* The sum over what UDP counts of IP's header: addresses, protocol, length. */
static uint32_t pseudo_sum(const uint8_t *ip, size_t length)
{
    return sum_add(PROTOCOL_UDP + (uint32_t)length, ip + 12, 8);
}

static size_t answer_datagram(const uint8_t *ip, uint8_t *udp, size_t length, bool is_validated)
{
    size_t size = get16(udp + 4);

    if (get16(udp + 2) != port || size < UDP_HEADER || size > length)
        return 0;
    if (!is_validated && get16(udp + 6) && sum_add(pseudo_sum(ip, size), udp, size) != 0xffff)
        return 0;
    size_t answered = answer(udp + UDP_HEADER, size - UDP_HEADER);
    if (!answered)
        return 0;
    size = UDP_HEADER + answered;
    put16(udp + 2, get16(udp));
    put16(udp, port);
    put16(udp + 4, (uint32_t)size);
    put16(udp + 6, 0);
    /* Addresses are swapped later, and the sum is the same. */
    uint32_t sum = ~sum_add(pseudo_sum(ip, size), udp, size) & 0xffff;
    put16(udp + 6, sum ? sum : 0xffff);
    return size;
}

static void receive_ip(uint8_t *frame, size_t length, bool is_validated)
{
    uint8_t *ip = frame + ETHERNET, *data = ip + IP_HEADER;
    size_t total = get16(ip + 2), size = 0;

    if (ip[0] != 0x45 || total < IP_HEADER + UDP_HEADER || total > length - ETHERNET ||
        get32(ip + 16) != address || (get16(ip + 6) & 0x3fff))
        return;
    if (ip[9] == PROTOCOL_ICMP)
        size = answer_ping(data, total - IP_HEADER);
    else if (ip[9] == PROTOCOL_UDP)
        size = answer_datagram(ip, data, total - IP_HEADER, is_validated);
    if (!size)
        return;
    put16(ip + 2, (uint32_t)(IP_HEADER + size));
    put32(ip + 16, get32(ip + 12));
    put32(ip + 12, address);
    put16(ip + 10, 0);
    put16(ip + 10, checksum_of(ip, IP_HEADER));
    send_back(frame, ETHERNET + IP_HEADER + size);
}

static void receive(struct xg_net *from, const uint8_t *frame, size_t length,
                    const struct xg_net_offload *offload)
{
    static uint8_t copy[FRAME_MOST];

    (void)from;
    if (length < ARP_FRAME || length > sizeof(copy))
        return;
    memcpy(copy, frame, length);
    if (get16(copy + 12) == ETHERTYPE_ARP)
        receive_arp(copy);
    else if (get16(copy + 12) == ETHERTYPE_IP)
        receive_ip(copy, length, offload->validated);
}

void udp_start(struct xg_net *on, uint32_t own, uint16_t listened, udp_answer *answering)
{
    net = on;
    address = own;
    port = listened;
    answer = answering;
    net->receive = receive;
}
