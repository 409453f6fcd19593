/*
 * What grant-granter and grant-mapper share: the page of a channel. The granter, domain 0, grants it
 * to domain n by reference PAIR_CHANNEL + n, and a read-only page by PAIR_DATA + n. The mapper finds
 * its own number by the reference that it may map.
 */
#ifndef GUEST_PAIR_H
#define GUEST_PAIR_H

#include <stdint.h>

#define PAIR_CHANNEL 8u
#define PAIR_DATA 16u
#define PAIR_MAPPERS 2u
#define PAIR_ROUNDS 500u
#define PAIR_MAGIC 0x7072697561706169ull
#define PAIR_PATTERN(domain, index) ((uint64_t)(domain) << 48 ^ (uint64_t)(index) * 0x9e3779b97f4a7c15ull)

/* Who ends first. */
enum pair_role { PAIR_MAPPER_ENDS = 1, PAIR_GRANTER_ENDS = 2 };
enum pair_phase { PAIR_BEGINS, PAIR_MAPPER_IS_HERE, PAIR_RUNS, PAIR_IS_DONE };

struct pair_channel {
    uint64_t magic;
    volatile uint32_t role;
    volatile uint32_t phase;
    volatile uint32_t reference; /* The mapper's own page, granted to domain 0. */
    volatile uint32_t mapper_failed;
    volatile uint64_t request, request_count;
    volatile uint64_t answer, answer_count;
};

static inline uint64_t pair_answer(uint64_t request) { return request * 3 + 1; }

#endif /* GUEST_PAIR_H */
