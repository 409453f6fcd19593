/* The cache of blocks. The one used longest ago makes room for another. */
#include "cache.h"

#include "disk.h"
#include "slate.h"
#include "text.h"

#define BLOCKS 64u
#define TRIES 3 /* of a transfer, before it fails */

static struct block blocks[BLOCKS];
static uint64_t uses;

static int transfer(enum disk_operation operation, uint32_t number, void *data)
{
    int error = ERROR_IO;

    for (int i = 0; error && i < TRIES; i++)
        error = disk_transfer(operation, number, data);
    return error;
}

static int write_back(struct block *block)
{
    if (!block->valid || !block->dirty)
        return 0;
    int error = transfer(DISK_WRITE, block->number, block->data);
    if (!error)
        block->dirty = 0;
    return error;
}

/* A place for a block: where it is already, or where the oldest was. */
static struct block *find(uint32_t number)
{
    struct block *oldest = blocks;

    for (struct block *block = blocks; block < blocks + BLOCKS; block++) {
        if (block->valid && block->number == number)
            return block;
        if (!block->valid || (oldest->valid && block->used < oldest->used))
            oldest = block;
    }
    if (write_back(oldest))
        return 0;
    oldest->valid = 0;
    oldest->dirty = 0;
    oldest->number = number;
    return oldest;
}

struct block *cache_get(uint32_t number)
{
    struct block *block = find(number);

    if (!block)
        return 0;
    if (!block->valid && transfer(DISK_READ, number, block->data))
        return 0;
    block->valid = 1;
    block->used = ++uses;
    return block;
}

struct block *cache_get_new(uint32_t number)
{
    struct block *block = find(number);

    if (!block)
        return 0;
    memset(block->data, 0, BLOCK_SIZE);
    block->valid = 1;
    block->dirty = 1;
    block->used = ++uses;
    return block;
}

int cache_sync(void)
{
    int error = 0;

    for (struct block *block = blocks; block < blocks + BLOCKS; block++) {
        if (write_back(block))
            error = ERROR_IO;
        else
            block->valid = 0;
    }
    if (transfer(DISK_FLUSH, 0, 0))
        error = ERROR_IO;
    return error;
}
