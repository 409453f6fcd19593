/* lwIP's end of the network: its interface over the network frontend, and its clock. */
#ifndef LINK_H
#define LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "xg_net.h"

/* Makes the interface with an address, its net's mask and a gateway, each as a number. */
void link_start(struct xg_net *net, uint32_t address, uint32_t mask, uint32_t gateway);
/* Gives lwIP the frames that have come, and its time-outs. Driver context. */
void link_poll(void);
/* Whether frames wait for link_poll. */
bool link_has_frames(void);
/* When lwIP wants link_poll again at the latest. */
uint64_t link_deadline(void);

#endif
