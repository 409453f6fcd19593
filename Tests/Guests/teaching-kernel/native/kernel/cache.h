/* Blocks of the disk that are in memory. The file system's lock is held. */
#ifndef CACHE_H
#define CACHE_H

#include <stdint.h>

#include "disk_format.h"

struct block {
    uint32_t number;
    int valid, dirty;
    uint64_t used; /* when, in uses of the cache */
    uint8_t data[BLOCK_SIZE] __attribute__((aligned(4096)));
};

/* A block, read if it is not there; good until the next call. 0: the disk has an error. */
struct block *cache_get(uint32_t number);
/* The same of a block that is written as a whole: it is not read, and all zeros. */
struct block *cache_get_new(uint32_t number);
/* Writes what has changed, and forgets everything. */
int cache_sync(void);

#endif
