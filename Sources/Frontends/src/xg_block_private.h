/* What the files of the block frontend share. See xg_block.c for how it works. */
#ifndef XG_BLOCK_PRIVATE_H
#define XG_BLOCK_PRIVATE_H

#include "xg_block.h"
#include "xg_event.h"
#include "xg_shared.h"

#define SECTORS_PER_PAGE (XEN_PAGE_SIZE / XG_SECTOR)
#define SEGMENTS_PER_PAGE ((uint32_t)(XEN_PAGE_SIZE / sizeof(struct blkif_request_segment)))
#define QUEUES_MAX 8u
#define SLOTS_IN_PAGE 32u

struct pool_page {
    struct pool_page *next;
    uint8_t *page;         /* 0: was lost to the backend */
    grant_ref_t reference; /* XG_NO_GRANT: not granted now */
};

/* A part of a request that goes as one ring request. */
struct piece {
    struct piece *next;
    struct xg_block_request *request;
    uint64_t sector, count;
    uint8_t *data;
    uint8_t operation; /* BLKIF_OP of the work */
    bool indirect;     /* wrapped in BLKIF_OP_INDIRECT */
    uint32_t tries;
    uint64_t id, time;
    struct pool_page *pages; /* data, in order; then the page of segments */
};

struct queue {
    struct xg_block *block;
    struct xg_ring shared;
    evtchn_port_t port;
    struct piece **slots;
    uint32_t slot_count, slot_bytes, under_way;
    uint64_t looked; /* when for overdue answers */
};

struct xg_block_private {
    bool usable, dispatching, gone;
    struct queue queues[QUEUES_MAX];
    uint32_t next_queue, under_way, wanted_grants;
    uint64_t serial, progress;
    struct xg_block_request *first, **last; /* waiting */
    struct xg_block_request *barrier;       /* goes alone until it is answered */
    struct piece *retry, *free_pieces, *pieces;
    uint32_t piece_count;
    struct pool_page *pool, *limbo, *pool_memory; /* limbo: the backend may still use them */
    uint32_t pool_count, pages_missing;
};

static inline uint32_t xgb_least(uint64_t a, uint64_t b)
{
    return (uint32_t)(a < b ? a : b);
}

static inline bool xgb_has_data(uint8_t operation)
{
    return operation != BLKIF_OP_FLUSH_DISKCACHE && operation != BLKIF_OP_DISCARD;
}

/* xg_block_piece.c: pages and pieces. */
void xgb_pool_put(struct xg_block_private *own, struct pool_page *page);
void xgb_pool_release(struct xg_block_private *own, struct pool_page *page);
void xgb_pool_refill(struct xg_block_private *own);
void xgb_pages_done(struct xg_block *block, struct piece *piece);
struct piece *xgb_piece_take(struct xg_block_private *own);
void xgb_piece_put(struct xg_block_private *own, struct piece *piece);
void xgb_piece_retry(struct xg_block_private *own, struct piece *piece);
void xgb_piece_end(struct xg_block *block, struct piece *piece, int error);
void xgb_piece_copy(struct piece *piece, bool out);
bool xgb_piece_pages(struct xg_block *block, struct piece *piece);
void xgb_piece_issue(struct xg_block *block, struct queue *queue, uint32_t slot,
                     struct piece *piece);

/* xg_block.c: requests and responses. */
void xgb_account(struct xg_block_private *own, struct xg_block_request *request, uint64_t count,
                 int error);
void xgb_dispatch(struct xg_block *block);
void xgb_queue_event(void *context);
void xgb_fail_all(struct xg_block *block, int error);

#endif /* XG_BLOCK_PRIVATE_H */
