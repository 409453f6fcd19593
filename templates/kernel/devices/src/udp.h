/*
 * Datagrams: as much of IPv4 as a kernel needs that is asked and answers. ARP and ping are answered as
 * well; fragments and options are not known.
 */
#ifndef UDP_H
#define UDP_H

#include <stddef.h>
#include <stdint.h>

#include "xg_net.h"

/* The longest that fits into a frame. */
#define UDP_MOST 1472u

/* Finds a datagram's bytes in `data`, which has room for UDP_MOST, leaves the answer there and returns
 * its length; 0: none is sent. Event or driver context: it may not wait. */
typedef size_t udp_answer(uint8_t *data, size_t length);

/* Answers on this interface from now on, one at a time. Numbers as in "10.0.2.15" = 0x0a00020f. */
void udp_start(struct xg_net *net, uint32_t address, uint16_t port, udp_answer *answer);

#endif
