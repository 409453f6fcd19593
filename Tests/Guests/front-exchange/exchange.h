/*
 * What travels between guests that exchange datagrams: a header, and bytes that follow from what it
 * says, so that a receiver knows each of them. Numbers are big-endian, as everywhere in packets.
 */
#ifndef GUEST_EXCHANGE_H
#define GUEST_EXCHANGE_H

#include "front.h"

#include "xg_packet.h"

#define OWN_WIDTH ((uint32_t)sizeof(void *) * 8)
#define PEERS_MOST 16u
/* Requests to one peer that may be under way at once. */
#define WINDOW 32u
#define UDP_HEADER 8u
#define EXCHANGE_PORT 7u
#define EXCHANGE_MAGIC 0x78676578u
#define HEADER 12u
#define PAYLOAD_MOST 1472u
#define FRAME_MOST (ETHERNET + IP_HEADER + UDP_HEADER + PAYLOAD_MOST)

enum kind { REQUEST = 1, ANSWER, END };

/* Of an answer all but the kind is the request's. */
struct message {
    enum kind kind;
    uint32_t from, to, width, sequence;
};

struct slot {
    uint64_t deadline;
    uint32_t sequence;
    bool is_busy;
};

/* Another guest. */
struct peer {
    uint32_t number, width;
    uint8_t mac[6];
    bool is_known, is_done;
    uint32_t expected; /* the least number that its next request may have */
    uint64_t sent, answered, heard, told_answered, told_heard;
    struct slot slots[WINDOW];
};

static inline uint32_t address_of(uint32_t number)
{
    return 0x0a00020e + number;
}

static inline size_t payload_of(const struct message *message)
{
    return HEADER + message->sequence * 397u % (PAYLOAD_MOST - HEADER + 1);
}

/* The bytes behind the header, one after the other. */
static inline uint32_t first_state(const struct message *message)
{
    return (message->sequence * 0x9e3779b9u) ^ message->from << 16 ^ message->to << 8 ^ message->width;
}

static inline uint8_t next_byte(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return (uint8_t)(*state >> 24);
}

static inline void make_arp(uint8_t *frame, const uint8_t *own_mac, const uint8_t *to, uint32_t operation,
                            uint32_t own_address, uint32_t target)
{
    memset(frame, 0, ARP_FRAME);
    memset(frame, 0xff, 6);
    if (to)
        memcpy(frame, to, 6);
    if (own_mac)
        memcpy(frame + 6, own_mac, 6);
    put16(frame + 12, ETHERTYPE_ARP);
    put16(frame + 14, 1);
    put16(frame + 16, ETHERTYPE_IP);
    put16(frame + 18, 0x0604);
    put16(frame + 20, operation);
    memcpy(frame + 22, frame + 6, 6);
    put32(frame + 28, own_address);
    if (to)
        memcpy(frame + 32, to, 6);
    put32(frame + 38, target);
}

/* The sum over what UDP counts of IP's header: addresses, protocol, length. */
static inline uint32_t pseudo_sum(const uint8_t *ip, uint32_t length)
{
    return sum_add(PROTOCOL_UDP + length, ip + 12, 8);
}

/* Makes a frame and gives its length; is_blank leaves UDP's sum over the data to the backend. */
static inline size_t make_datagram(uint8_t *frame, const uint8_t *own_mac, const uint8_t *mac, uint32_t from,
                                   uint32_t to, const struct message *message, bool is_blank)
{
    uint8_t *ip = frame + ETHERNET, *udp = ip + IP_HEADER, *data = udp + UDP_HEADER;
    size_t payload = payload_of(message), length = UDP_HEADER + payload;
    uint32_t state = first_state(message), sum;

    memset(frame, 0, ETHERNET + IP_HEADER + UDP_HEADER);
    memcpy(frame, mac, 6);
    if (own_mac)
        memcpy(frame + 6, own_mac, 6);
    put16(frame + 12, ETHERTYPE_IP);
    ip[0] = 0x45;
    put16(ip + 2, (uint32_t)(IP_HEADER + length));
    put16(ip + 4, message->sequence & 0xffff);
    ip[8] = 64;
    ip[9] = PROTOCOL_UDP;
    put32(ip + 12, from);
    put32(ip + 16, to);
    put16(ip + 10, checksum_of(ip, IP_HEADER));
    put32(data, EXCHANGE_MAGIC);
    data[4] = (uint8_t)message->kind;
    data[5] = (uint8_t)message->from;
    data[6] = (uint8_t)message->to;
    data[7] = (uint8_t)message->width;
    put32(data + 8, message->sequence);
    for (size_t i = HEADER; i < payload; i++)
        data[i] = next_byte(&state);
    put16(udp, EXCHANGE_PORT);
    put16(udp + 2, EXCHANGE_PORT);
    put16(udp + 4, (uint32_t)length);
    sum = pseudo_sum(ip, (uint32_t)length);
    if (!is_blank) {
        sum = ~sum_add(sum, udp, length) & 0xffff;
        sum = sum ? sum : 0xffff;
    }
    put16(udp + 6, sum);
    return ETHERNET + IP_HEADER + length;
}

/* Reads a frame in which every byte must be what its header says; false: one is not. */
static inline bool read_datagram(const uint8_t *frame, size_t frame_length, bool is_validated,
                                 struct message *message)
{
    const uint8_t *ip = frame + ETHERNET, *udp = ip + IP_HEADER, *data = udp + UDP_HEADER;
    size_t total = get16(ip + 2), length = total - IP_HEADER;
    uint32_t state;

    if (frame_length < ETHERNET + IP_HEADER + UDP_HEADER + HEADER || ip[0] != 0x45 ||
        checksum_of(ip, IP_HEADER) || ip[9] != PROTOCOL_UDP || total < IP_HEADER + UDP_HEADER + HEADER ||
        total > frame_length - ETHERNET || get16(udp + 2) != EXCHANGE_PORT || get16(udp + 4) != length ||
        get32(data) != EXCHANGE_MAGIC)
        return false;
    if (!is_validated && sum_add(pseudo_sum(ip, (uint32_t)length), udp, length) != 0xffff)
        return false;
    *message = (struct message){data[4], data[5], data[6], data[7], get32(data + 8)};
    if (message->kind < REQUEST || message->kind > END || payload_of(message) != length - UDP_HEADER)
        return false;
    state = first_state(message);
    for (size_t i = HEADER; i < payload_of(message); i++) {
        if (data[i] != next_byte(&state))
            return false;
    }
    return true;
}

#endif /* GUEST_EXCHANGE_H */
