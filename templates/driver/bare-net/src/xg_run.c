/*
 * The driver's life: it answers ARP, ping, and UDP to port 7 on its first interface. Make it yours
 * from here. Words of the kernel's command line:
 *
 *   seconds=N                      so long (30), or until a datagram begins with "end"
 *   ip=A.B.C.D                     the interface's address (10.0.2.15)
 *   no-sg, no-checksum, no-gso, no-split       features that are not asked for
 *   queues=N
 */
#include "xg_run.h"

#include "xg_life.h"
#include "xg_net.h"
#include "xg_packet.h"

#define ECHO_PORT 7u
#define FRAME_MOST 65536u

static const struct xg_driver *const drivers[] = {&xg_net_driver};

static struct xg_net *net;
static uint32_t address;
static bool is_told_to_end;
static uint64_t arps, pings, datagrams, others;

/* The frame goes back to where it came from. */
static void answer(uint8_t *frame, size_t length, const struct xg_net_offload *offload)
{
    struct xg_net_part part = {frame, length};

    __builtin_memcpy(frame, frame + 6, 6);
    __builtin_memcpy(frame + 6, net->mac, 6);
    xg_net_send(net, &part, 1, offload, 0);
}

static void receive_arp(uint8_t *frame)
{
    uint8_t *arp = frame + ETHERNET;

    if (get16(arp + 6) != 1 || get32(arp + 24) != address)
        return;
    arps++;
    put16(arp + 6, 2);
    __builtin_memcpy(arp + 18, arp + 8, 10); /* the asker becomes the target */
    __builtin_memcpy(arp + 8, net->mac, 6);
    put32(arp + 14, address);
    answer(frame, ARP_FRAME, 0);
}

/* The sum over what UDP counts of IP's header: addresses, protocol, length. */
static uint32_t pseudo_sum(const uint8_t *ip, uint32_t length)
{
    return sum_add(PROTOCOL_UDP + length, ip + 12, 8);
}

static bool answer_ping(uint8_t *icmp, size_t length)
{
    if (icmp[0] != 8 || checksum_of(icmp, length))
        return false;
    pings++;
    icmp[0] = 0;
    put16(icmp + 2, 0);
    put16(icmp + 2, checksum_of(icmp, length));
    return true;
}

static bool answer_datagram(const uint8_t *ip, uint8_t *udp, size_t length, bool is_validated)
{
    uint32_t size = get16(udp + 4);

    if (get16(udp + 2) != ECHO_PORT || size < 8 || size > length)
        return false;
    if (!is_validated && get16(udp + 6) && sum_add(pseudo_sum(ip, size), udp, size) != 0xffff)
        return false;
    datagrams++;
    if (size >= 11 && udp[8] == 'e' && udp[9] == 'n' && udp[10] == 'd')
        is_told_to_end = true;
    put16(udp + 2, get16(udp));
    put16(udp, ECHO_PORT);
    put16(udp + 6, 0);
    /* Addresses are swapped later, and the sum is the same. The backend does the rest if it can. */
    uint32_t sum = pseudo_sum(ip, size);
    if (!net->checksum) {
        sum = ~sum_add(sum, udp, size) & 0xffff;
        sum = sum ? sum : 0xffff;
    }
    put16(udp + 6, sum);
    return true;
}

static void receive_ip(uint8_t *frame, size_t length, bool is_validated)
{
    struct xg_net_offload offload = {0};
    uint8_t *ip = frame + ETHERNET;
    size_t header = (ip[0] & 15u) * 4u, total = get16(ip + 2);

    if (ip[0] >> 4 != 4 || header < IP_HEADER || total < header + 8 || total > length - ETHERNET ||
        get32(ip + 16) != address || (get16(ip + 6) & 0x3fff))
        return;
    bool good = false;
    if (ip[9] == PROTOCOL_ICMP) {
        good = answer_ping(ip + header, total - header);
    } else if (ip[9] == PROTOCOL_UDP) {
        good = answer_datagram(ip, ip + header, total - header, is_validated);
        offload.checksum_blank = net->checksum;
    }
    if (!good) {
        others++;
        return;
    }
    put32(ip + 16, get32(ip + 12));
    put32(ip + 12, address);
    put16(ip + 10, 0);
    put16(ip + 10, checksum_of(ip, header));
    answer(frame, ETHERNET + total, &offload);
}

static void receive(struct xg_net *from, const uint8_t *frame, size_t length,
                    const struct xg_net_offload *offload)
{
    static uint8_t copy[FRAME_MOST];

    (void)from;
    if (length < ARP_FRAME || length > sizeof(copy))
        return;
    __builtin_memcpy(copy, frame, length);
    if (get16(copy + 12) == ETHERTYPE_ARP)
        receive_arp(copy);
    else if (get16(copy + 12) == ETHERTYPE_IP)
        receive_ip(copy, length, offload->validated || offload->checksum_blank);
}

static void ready(struct xg_net *found)
{
    if (!net) {
        net = found;
        net->receive = receive;
    }
}

/* Another may come in its place. */
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

static void work(void)
{
    life_say(life_text(net->queue_count), " queues", net->sg ? ", sg" : "",
             net->checksum ? ", checksum" : "", net->gso4 ? ", gso4" : "",
             net->split_events ? ", split events" : "", (char *)0);
    life_until(has_enough, life_number("seconds=", 30) * SECONDS);
    life_say("arp ", life_text(arps), ", ping ", life_text(pings), ", udp ", life_text(datagrams),
             ", other ", life_text(others), (char *)0);
    life_check("frames came", arps + pings + datagrams + others > 0);
}

int xg_run(void)
{
    xg_net_ready = ready;
    xg_net_gone = gone;
    xg_net_defaults.queues = (uint32_t)life_number("queues=", 1);
    xg_net_defaults.sg = !life_has("no-sg");
    xg_net_defaults.checksum = !life_has("no-checksum");
    xg_net_defaults.split_events = !life_has("no-split");
    if (life_has("no-gso"))
        xg_net_defaults.gso4 = xg_net_defaults.gso6 = false;
    address = life_address("ip=", 0x0a00020f);
    int error = life_start(drivers, 1);
    if (error)
        return error;
    life_check("an interface", life_until(is_ready, 30 * SECONDS));
    if (net)
        work();
    return life_end();
}
