/*
 * Makes a disk for the kernel, on the host: make_disk IMAGE BLOCKS [FILE=/path | /folder/]...
 * disk_format.h draws what comes out. Folders must be given before what is in them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "disk_format.h"

#define INODE_BLOCKS 2u

static unsigned char (*disk)[BLOCK_SIZE];
static uint32_t blocks, next_block = FIRST_INODE_BLOCK + INODE_BLOCKS, next_inode = ROOT_INODE;

static void fail(const char *what, const char *which)
{
    fprintf(stderr, "make_disk: %s: %s\n", what, which);
    exit(1);
}

static struct inode *inode_of(uint32_t number)
{
    return (struct inode *)(void *)disk[FIRST_INODE_BLOCK + number / INODES_PER_BLOCK] +
           number % INODES_PER_BLOCK;
}

static uint32_t new_inode(enum inode_kind kind)
{
    if (next_inode == INODE_BLOCKS * INODES_PER_BLOCK)
        fail("too many files", "");
    inode_of(next_inode)->kind = kind;
    return next_inode++;
}

static uint32_t new_block(void)
{
    if (next_block == blocks)
        fail("the disk is full", "");
    disk[BITMAP_BLOCK][next_block / 8] |= (unsigned char)(1u << next_block % 8);
    return next_block++;
}

static void append(struct inode *inode, const void *data, uint32_t size)
{
    const unsigned char *bytes = data;

    for (; size; size--, inode->size++) {
        uint32_t index = inode->size / BLOCK_SIZE;
        if (index >= FILE_BLOCKS)
            fail("a file is too large", "");
        if (index >= DIRECT_BLOCKS && !inode->indirect)
            inode->indirect = new_block();
        uint32_t *number = index < DIRECT_BLOCKS
                               ? &inode->direct[index]
                               : (uint32_t *)(void *)disk[inode->indirect] + index - DIRECT_BLOCKS;
        if (!*number)
            *number = new_block();
        disk[*number][inode->size % BLOCK_SIZE] = *bytes++;
    }
}

/* The inode of a name in a folder; 0: there is none. */
static uint32_t find(uint32_t folder, const char *name, size_t length)
{
    const struct inode *inode = inode_of(folder);

    for (uint32_t at = 0; at < inode->size; at += sizeof(struct directory_entry)) {
        const struct directory_entry *entry =
            (const void *)&disk[inode->direct[at / BLOCK_SIZE]][at % BLOCK_SIZE];
        if (strlen(entry->name) == length && !memcmp(entry->name, name, length))
            return entry->inode;
    }
    return 0;
}

/* Makes what a path names; its folders are there. */
static uint32_t make(const char *path, enum inode_kind kind)
{
    uint32_t folder = ROOT_INODE;

    for (path++;;) {
        size_t length = strcspn(path, "/");
        if (length == 0 || length >= NAME_BYTES)
            fail("a name is empty or too long", path);
        if (path[length] == 0 || path[length + 1] == 0) {
            struct directory_entry entry = {.inode = new_inode(kind)};
            memcpy(entry.name, path, length);
            append(inode_of(folder), &entry, sizeof(entry));
            return entry.inode;
        }
        folder = find(folder, path, length);
        if (!folder)
            fail("the folder is not there", path);
        path += length + 1;
    }
}

static void add_file(const char *source, const char *path)
{
    unsigned char buffer[BLOCK_SIZE];
    uint32_t number = make(path, INODE_FILE);
    FILE *file = fopen(source, "rb");
    size_t count;

    if (!file)
        fail("cannot be read", source);
    while ((count = fread(buffer, 1, sizeof(buffer), file)) > 0)
        append(inode_of(number), buffer, (uint32_t)count);
    fclose(file);
}

int main(int count, char **arguments)
{
    if (count < 3)
        fail("usage", "make_disk IMAGE BLOCKS [FILE=/path | /folder/]...");
    blocks = (uint32_t)strtoul(arguments[2], 0, 10);
    if (blocks <= next_block || blocks > BLOCK_SIZE * 8)
        fail("not a size for a disk", arguments[2]);
    disk = calloc(blocks, BLOCK_SIZE);
    if (!disk)
        fail("no memory", "");
    *(struct superblock *)(void *)disk[0] =
        (struct superblock){DISK_MAGIC, blocks, INODE_BLOCKS};
    for (uint32_t block = 0; block < next_block; block++)
        disk[BITMAP_BLOCK][block / 8] |= (unsigned char)(1u << block % 8);
    new_inode(INODE_DIRECTORY);
    for (int i = 3; i < count; i++) {
        char *path = strchr(arguments[i], '=');
        if (path) {
            *path = 0;
            add_file(arguments[i], path + 1);
        } else {
            make(arguments[i], INODE_DIRECTORY);
        }
    }
    FILE *image = fopen(arguments[1], "wb");
    if (!image || fwrite(disk, BLOCK_SIZE, blocks, image) != blocks || fclose(image))
        fail("cannot be written", arguments[1]);
    return 0;
}
