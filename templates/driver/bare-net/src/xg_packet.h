/* Numbers in packets, and their checksums. */
#ifndef XG_PACKET_H
#define XG_PACKET_H

#include <stddef.h>
#include <stdint.h>

/* Of Ethernet, and of the two kinds of frame that are known here. */
#define ETHERNET 14u
#define ETHERTYPE_IP 0x0800u
#define ETHERTYPE_ARP 0x0806u
/* An ARP message with Ethernet's header. */
#define ARP_FRAME (ETHERNET + 28u)
#define IP_HEADER 20u
#define PROTOCOL_ICMP 1u
#define PROTOCOL_UDP 17u

static inline uint32_t get16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t get32(const uint8_t *at)
{
    return get16(at) << 16 | get16(at + 2);
}

static inline void put16(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void put32(uint8_t *at, uint32_t value)
{
    put16(at, value >> 16);
    put16(at + 2, value);
}

/* The Internet checksum (RFC 1071) before its complement; `sum` is what comes before the data. */
static inline uint32_t sum_add(uint32_t sum, const uint8_t *data, size_t length)
{
    for (size_t i = 0; i + 1 < length; i += 2)
        sum += get16(data + i);
    if (length & 1)
        sum += (uint32_t)data[length - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static inline uint32_t checksum_of(const uint8_t *data, size_t length)
{
    return ~sum_add(0, data, length) & 0xffff;
}

#endif
