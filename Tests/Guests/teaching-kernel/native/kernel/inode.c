/*
 * Inodes. Numbers on the disk are checked before they are used: a broken disk gives errors, and no
 * more than that.
 */
#include "inode.h"

#include <stdbool.h>

#include "cache.h"
#include "slate.h"
#include "text.h"

/* An inode within its block in the cache; `block` is to be marked where it is changed. */
static struct inode *inode_get(uint32_t number, struct block **block)
{
    if (number == 0 || number >= superblock.inode_blocks * INODES_PER_BLOCK)
        return 0;
    *block = cache_get(FIRST_INODE_BLOCK + number / INODES_PER_BLOCK);
    return *block ? (struct inode *)(*block)->data + number % INODES_PER_BLOCK : 0;
}

int inode_write(uint32_t number, const struct inode *inode)
{
    struct block *block;
    struct inode *place = inode_get(number, &block);

    if (!place)
        return ERROR_IO;
    *place = *inode;
    block->dirty = 1;
    return 0;
}

/* A number of a data block, as found on the disk. */
static bool is_data_block(uint32_t number)
{
    return number >= FIRST_INODE_BLOCK + superblock.inode_blocks && number < superblock.blocks;
}

/* Takes a free block, all zeros; 0: there is none. */
static uint32_t block_allocate(void)
{
    struct block *bitmap = cache_get(BITMAP_BLOCK);

    for (uint32_t number = 0; bitmap && number < superblock.blocks; number++) {
        if (bitmap->data[number / 8] & 1u << number % 8 || !is_data_block(number))
            continue;
        bitmap->data[number / 8] |= (uint8_t)(1u << number % 8);
        bitmap->dirty = 1;
        return cache_get_new(number) ? number : 0;
    }
    return 0;
}

static void block_release(uint32_t number)
{
    struct block *bitmap = is_data_block(number) ? cache_get(BITMAP_BLOCK) : 0;

    if (!bitmap)
        return;
    bitmap->data[number / 8] &= (uint8_t)~(1u << number % 8);
    bitmap->dirty = 1;
}

/* The data block at an index of a file, made if missing and `make` is set; 0: there is none. */
static uint32_t file_block(struct inode *inode, uint64_t index, bool make)
{
    if (index < DIRECT_BLOCKS) {
        if (!inode->direct[index] && make)
            inode->direct[index] = block_allocate();
        return is_data_block(inode->direct[index]) ? inode->direct[index] : 0;
    }
    if (index >= FILE_BLOCKS)
        return 0;
    if (!inode->indirect && make)
        inode->indirect = block_allocate();
    if (!is_data_block(inode->indirect))
        return 0;
    struct block *block = cache_get(inode->indirect);
    uint32_t number = block ? ((uint32_t *)block->data)[index - DIRECT_BLOCKS] : 0;
    if (block && !number && make) {
        number = block_allocate();
        block = cache_get(inode->indirect);
        if (!block)
            return 0;
        ((uint32_t *)block->data)[index - DIRECT_BLOCKS] = number;
        block->dirty = 1;
    }
    return is_data_block(number) ? number : 0;
}

long inode_read_bytes(struct inode *inode, uint64_t offset, void *buffer, uint64_t size)
{
    uint64_t done = 0;

    if (offset >= inode->size)
        return 0;
    size = size < inode->size - offset ? size : inode->size - offset;
    while (done < size) {
        uint64_t within = (offset + done) % BLOCK_SIZE;
        uint64_t part = BLOCK_SIZE - within < size - done ? BLOCK_SIZE - within : size - done;
        uint32_t number = file_block(inode, (offset + done) / BLOCK_SIZE, false);
        const struct block *block = number ? cache_get(number) : 0;
        if (!block)
            return ERROR_IO;
        memcpy((uint8_t *)buffer + done, block->data + within, part);
        done += part;
    }
    return (long)done;
}

long inode_write_bytes(struct inode *inode, uint64_t offset, const void *buffer, uint64_t size)
{
    uint64_t done = 0;

    while (done < size) {
        uint64_t within = (offset + done) % BLOCK_SIZE;
        uint64_t part = BLOCK_SIZE - within < size - done ? BLOCK_SIZE - within : size - done;
        uint32_t number = file_block(inode, (offset + done) / BLOCK_SIZE, true);
        struct block *block = number ? cache_get(number) : 0;
        if (!block)
            break;
        memcpy(block->data + within, (const uint8_t *)buffer + done, part);
        block->dirty = 1;
        done += part;
        if (offset + done > inode->size)
            inode->size = (uint32_t)(offset + done);
    }
    return done || !size ? (long)done : ERROR_NO_SPACE;
}

int inode_read(uint32_t number, struct inode *inode)
{
    struct block *block;
    const struct inode *found = inode_get(number, &block);

    if (!found)
        return ERROR_IO;
    *inode = *found;
    return 0;
}

int inode_truncate(uint32_t number)
{
    struct inode inode;

    if (inode_read(number, &inode))
        return ERROR_IO;
    for (uint32_t index = 0; index < FILE_BLOCKS; index++)
        block_release(file_block(&inode, index, false));
    block_release(inode.indirect);
    inode = (struct inode){.kind = inode.kind};
    return inode_write(number, &inode);
}
