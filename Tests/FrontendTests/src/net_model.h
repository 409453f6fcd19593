/* A network backend that echoes, after the protocol or with one of its faults. */
#ifndef NET_MODEL_H
#define NET_MODEL_H

#include "host.h"

enum net_fault {
    NET_GOOD,
    NET_TX_WRONG_ID,
    NET_TX_HUGE_ID,
    NET_TX_DOUBLED,
    NET_TX_DROPPED,
    NET_TX_INDEX,
    NET_TX_NULL,
    NET_TX_ERROR,
    NET_RX_WRONG_ID,
    NET_RX_OFFSET,
    NET_RX_NEGATIVE,
    NET_RX_TOO_LONG,
    NET_RX_INDEX,
    NET_RX_EXTRA_TYPE,
    NET_RX_GSO_ZERO,
    NET_RX_GSO_TYPE,
    NET_RX_ENDLESS_EXTRAS,
    NET_RX_CHAIN_UNASKED,
    NET_RX_HALF_A_FRAME,
    NET_RX_EMPTY,
    NET_RX_SCRIBBLED,
    NET_NO_EVENTS,
    NET_VANISHES,
    NET_CLOSES,
    NET_RESTARTS,
    NET_KEEPS_MAPPED,
    NET_FAULTS
};

struct net_model {
    uint32_t id;
    bool copies, sg, no_checksum, checksum6, gso4, gso6, multicast, split;
    uint32_t queues;
    bool silent; /* takes frames and sends none */
    enum net_fault fault;
    unsigned int fault_after, fault_count;
    /* What it saw. */
    unsigned int frames, pieces, gso_frames, blank_frames, multicast_adds, multicast_dels;
    unsigned int connects, protocol_errors, struck, sent_back, no_room, queues_used;
    bool split_used;
    struct net_model_private *own;
};

void net_model_start(struct net_model *model);
const char *net_fault_name(enum net_fault fault);
void net_model_remove(struct net_model *model);
/* The backend's daemon ends without a word; and starts again. */
void net_model_kill(struct net_model *model);
void net_model_revive(struct net_model *model);
/* Sends a frame to the guest, cut into pieces of so many bytes. False: no room. */
bool net_model_send(struct net_model *model, unsigned int queue, const uint8_t *frame,
                    uint32_t length, uint32_t piece, uint8_t gso, uint16_t flags);
/* For a fuzzer. */
struct xenabi_ring *net_model_ring(struct net_model *model, unsigned int queue, bool tx);
void net_model_notify(struct net_model *model);

#endif /* NET_MODEL_H */
