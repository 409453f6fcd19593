/* A block backend over a disk in memory, after the protocol or with one of its faults. */
#ifndef BLOCK_MODEL_H
#define BLOCK_MODEL_H

#include "host.h"

#define DISK_SECTORS 8192u

enum block_fault {
    BLOCK_GOOD,
    BLOCK_WRONG_ID,
    BLOCK_HUGE_ID,
    BLOCK_OLD_SERIAL,
    BLOCK_DOUBLED,
    BLOCK_DROPPED,
    BLOCK_LATE,
    BLOCK_INDEX_AHEAD,
    BLOCK_INDEX_BACK,
    BLOCK_WRONG_OPERATION,
    BLOCK_UNKNOWN_STATUS,
    BLOCK_ERROR,
    BLOCK_UNSUPPORTED,
    BLOCK_SCRIBBLED_HEADER,
    BLOCK_SCRIBBLED_SLOTS,
    BLOCK_SCRIBBLED_DATA,
    BLOCK_KEEPS_DATA_MAPPED,
    BLOCK_KEEPS_RING_MAPPED,
    BLOCK_NO_EVENTS,
    BLOCK_EVENT_STORM,
    BLOCK_VANISHES,
    BLOCK_CLOSES,
    BLOCK_RESTARTS,
    BLOCK_STATE_DANCE,
    BLOCK_UNPLUGGED,
    BLOCK_NEVER_CONNECTS,
    BLOCK_STUCK_CLOSING,
    BLOCK_FAULTS
};

struct block_model {
    /* Set before the start. */
    uint32_t id;
    bool flush, barrier, discard, secure, persistent, read_only, in_order;
    uint32_t indirect, ring_order, queues;
    enum block_fault fault;
    unsigned int fault_after, fault_count; /* responses before it, and how often it strikes */
    const char *odd_key, *odd_value;       /* written in place of a sensible property */
    /* What it saw. */
    unsigned int requests, indirect_requests, flushes, barriers, discards, connects;
    unsigned int most_segments, protocol_errors, struck, most_mapped;
    unsigned int queues_used, order_used;
    bool protocol_key;
    uint8_t *disk;
    struct block_model_private *own;
};

/* Makes the toolstack's keys and the backend. */
void block_model_start(struct block_model *model);
const char *block_fault_name(enum block_fault fault);
/* The backend goes for good. */
void block_model_remove(struct block_model *model);
/* The backend's daemon ends without a word; and starts again. */
void block_model_kill(struct block_model *model);
void block_model_revive(struct block_model *model);
/* The disk grows while in use. */
void block_model_resize(struct block_model *model, uint64_t sectors);
/* Where the queues' rings are, for a fuzzer. */
struct xenabi_ring *block_model_ring(struct block_model *model, unsigned int queue);
void block_model_notify(struct block_model *model);

#endif /* BLOCK_MODEL_H */
