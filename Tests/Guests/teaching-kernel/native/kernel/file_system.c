/* The file system: paths, over inode.c. One process at a time is in it. */
#include "file_system.h"

#include <stdbool.h>

#include "cache.h"
#include "console.h"
#include "cpu.h"
#include "disk.h"
#include "inode.h"
#include "process.h"
#include "slate.h"
#include "text.h"

struct superblock superblock;

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
    if (superblock.magic != DISK_MAGIC || superblock.blocks <= FIRST_INODE_BLOCK ||
        superblock.blocks > BLOCK_SIZE * 8 || superblock.blocks > disk_blocks() ||
        superblock.inode_blocks == 0 ||
        superblock.inode_blocks >= superblock.blocks - FIRST_INODE_BLOCK)
        panic("the disk has no file system");
}

long file_system_read(uint32_t number, uint64_t offset, void *buffer, uint64_t size)
{
    struct inode inode;

    lock();
    long result = inode_read(number, &inode);
    if (!result)
        result = inode_read_bytes(&inode, offset, buffer, size);
    unlock();
    return result;
}

long file_system_write(uint32_t number, uint64_t offset, const void *buffer, uint64_t size)
{
    struct inode inode;

    lock();
    long result = inode_read(number, &inode);
    if (!result) {
        result = inode_write_bytes(&inode, offset, buffer, size);
        if (inode_write(number, &inode))
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
        if (inode_read_bytes(directory, at, &entry, sizeof(entry)) != sizeof(entry))
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
        if (inode_write_bytes(directory, place, &entry, sizeof(entry)) != sizeof(entry))
            return ERROR_NO_SPACE;
        if (inode_write(number, &inode) || inode_write(parent, directory))
            return ERROR_IO;
        return (int)number;
    }
    return ERROR_NO_SPACE;
}

/* Takes the next name off a path: its length; 0: there is none; or an error. */
static int next_name(const char **path, char name[NAME_BYTES])
{
    int length = 0;

    while (**path == '/')
        (*path)++;
    memset(name, 0, NAME_BYTES);
    for (; **path && **path != '/'; (*path)++) {
        if (length + 1 == NAME_BYTES)
            return ERROR_INVALID;
        name[length++] = **path;
    }
    return length;
}

/* What the flags of open do with a file that is there: its inode, or an error. */
static int open_existing(uint32_t number, int flags)
{
    struct inode inode;

    if (inode_read(number, &inode))
        return ERROR_IO;
    if (inode.kind != INODE_FILE && flags & (OPEN_WRITE | OPEN_TRUNCATE))
        return ERROR_IS_DIRECTORY;
    if (flags & OPEN_TRUNCATE && inode_truncate(number))
        return ERROR_IO;
    return (int)number;
}

static int open_locked(const char *path, int flags)
{
    uint32_t parent = ROOT_INODE, place;
    char name[NAME_BYTES], after[NAME_BYTES];
    struct inode directory;

    if (next_name(&path, name) <= 0)
        return ERROR_INVALID;
    for (;;) {
        if (inode_read(parent, &directory))
            return ERROR_IO;
        if (directory.kind != INODE_DIRECTORY)
            return ERROR_NOT_DIRECTORY;
        int found = directory_find(&directory, name, &place);
        int more = next_name(&path, after);
        if (more < 0)
            return more;
        if (!more && found == ERROR_NOT_FOUND && flags & OPEN_CREATE)
            return create(parent, &directory, name, place);
        if (found < 0)
            return found;
        if (!more)
            return open_existing((uint32_t)found, flags);
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
