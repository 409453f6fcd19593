/*
 * The file system. One process at a time is in it. Numbers on the disk are checked before they are
 * used: a broken disk gives errors, and no more than that.
 */
#include "file_system.h"

#include <stdbool.h>

#include "cache.h"
#include "console.h"
#include "cpu.h"
#include "disk.h"
#include "process.h"
#include "slate.h"
#include "text.h"

static struct superblock superblock;
static bool locked;

static void lock(void)
{
    uint64_t flags = interrupts_save();

    while (locked)
        process_sleep(&locked, 0);
    locked = true;
    interrupts_restore(flags);
}

static void unlock(void)
{
    locked = false;
    process_wake(&locked);
}

void file_system_start(void)
{
    const struct block *block = cache_get(0);

    if (!block)
        panic("the disk cannot be read");
    memcpy(&superblock, block->data, sizeof(superblock));
    if (superblock.magic != DISK_MAGIC || superblock.blocks > BLOCK_SIZE * 8 ||
        superblock.blocks > disk_blocks() || superblock.inode_blocks == 0 ||
        superblock.inode_blocks >= superblock.blocks - FIRST_INODE_BLOCK)
        panic("the disk has no file system");
}

/* An inode within its block in the cache; `block` is to be marked where it is changed. */
static struct inode *inode_get(uint32_t number, struct block **block)
{
    if (number == 0 || number >= superblock.inode_blocks * INODES_PER_BLOCK)
        return 0;
    *block = cache_get(FIRST_INODE_BLOCK + number / INODES_PER_BLOCK);
    return *block ? (struct inode *)(*block)->data + number % INODES_PER_BLOCK : 0;
}

static int inode_put(uint32_t number, const struct inode *inode)
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

static long read_locked(struct inode *inode, uint64_t offset, void *buffer, uint64_t size)
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

static long write_locked(struct inode *inode, uint64_t offset, const void *buffer, uint64_t size)
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

/* Copies an inode of a kind out of the cache. */
static int inode_read(uint32_t number, struct inode *inode)
{
    struct block *block;
    const struct inode *found = inode_get(number, &block);

    if (!found)
        return ERROR_IO;
    *inode = *found;
    return 0;
}

long file_system_read(uint32_t number, uint64_t offset, void *buffer, uint64_t size)
{
    struct inode inode;

    lock();
    long result = inode_read(number, &inode);
    if (!result)
        result = read_locked(&inode, offset, buffer, size);
    unlock();
    return result;
}

long file_system_write(uint32_t number, uint64_t offset, const void *buffer, uint64_t size)
{
    struct inode inode;

    lock();
    long result = inode_read(number, &inode);
    if (!result) {
        result = write_locked(&inode, offset, buffer, size);
        if (inode_put(number, &inode))
            result = ERROR_IO;
    }
    unlock();
    return result;
}

/* Looks a name up in a directory: its inode, or an error. `place` becomes the offset of a free
 * entry. */
static int directory_find(struct inode *directory, const char *name, uint32_t *place)
{
    struct directory_entry entry;

    *place = directory->size;
    for (uint32_t at = 0; at < directory->size; at += sizeof(entry)) {
        if (read_locked(directory, at, &entry, sizeof(entry)) != sizeof(entry))
            return ERROR_IO;
        entry.name[NAME_BYTES - 1] = 0;
        if (!entry.inode)
            *place = at;
        else if (text_equal(entry.name, name))
            return (int)entry.inode;
    }
    return ERROR_NOT_FOUND;
}

static int create(uint32_t parent, struct inode *directory, const char *name, uint32_t place)
{
    uint32_t inodes = superblock.inode_blocks * INODES_PER_BLOCK;

    for (uint32_t number = ROOT_INODE; number < inodes; number++) {
        struct inode inode;
        if (inode_read(number, &inode))
            return ERROR_IO;
        if (inode.kind != INODE_FREE)
            continue;
        struct directory_entry entry = {.inode = number};
        memcpy(entry.name, name, text_length(name));
        inode = (struct inode){.kind = INODE_FILE};
        if (write_locked(directory, place, &entry, sizeof(entry)) != sizeof(entry))
            return ERROR_NO_SPACE;
        if (inode_put(number, &inode) || inode_put(parent, directory))
            return ERROR_IO;
        return (int)number;
    }
    return ERROR_NO_SPACE;
}

static int truncate(uint32_t number)
{
    struct inode inode;

    if (inode_read(number, &inode))
        return ERROR_IO;
    for (uint32_t index = 0; index < FILE_BLOCKS; index++)
        block_release(file_block(&inode, index, false));
    block_release(inode.indirect);
    inode = (struct inode){.kind = inode.kind};
    return inode_put(number, &inode);
}

/* Takes the next name off a path; false: there is none, or it is too long. */
static bool next_name(const char **path, char name[NAME_BYTES])
{
    unsigned int length = 0;

    while (**path == '/')
        (*path)++;
    memset(name, 0, NAME_BYTES);
    for (; **path && **path != '/'; (*path)++) {
        if (length + 1 == NAME_BYTES)
            return false;
        name[length++] = **path;
    }
    return length > 0;
}

static int open_locked(const char *path, int flags)
{
    uint32_t parent = ROOT_INODE, place;
    char name[NAME_BYTES], after[NAME_BYTES];
    struct inode directory;

    if (!next_name(&path, name))
        return ERROR_INVALID;
    for (;;) {
        if (inode_read(parent, &directory))
            return ERROR_IO;
        if (directory.kind != INODE_DIRECTORY)
            return ERROR_NOT_DIRECTORY;
        int found = directory_find(&directory, name, &place);
        bool is_last = !next_name(&path, after);
        if (is_last && found == ERROR_NOT_FOUND && flags & OPEN_CREATE)
            return create(parent, &directory, name, place);
        if (is_last && found > 0 && flags & OPEN_TRUNCATE && truncate((uint32_t)found))
            return ERROR_IO;
        if (is_last || found < 0)
            return found;
        parent = (uint32_t)found;
        memcpy(name, after, sizeof(name));
    }
}

int file_system_open(const char *path, int flags)
{
    lock();
    int result = open_locked(path, flags);
    unlock();
    return result;
}

int file_system_sync(void)
{
    lock();
    int error = cache_sync();
    unlock();
    return error;
}
