/*
 * The file system on the disk, in blocks of 4 KiB; numbers are little endian.
 *
 *     block 0      superblock
 *     block 1      bitmap: a bit for each block, set if it is in use
 *     blocks 2-    inodes, 64 to a block; number 0 is none, number 1 the root directory
 *     the rest     data: of files, of directories (an array of entries), and of blocks of numbers
 */
#ifndef DISK_FORMAT_H
#define DISK_FORMAT_H

#include <stdint.h>

#define BLOCK_SIZE 4096u
#define DISK_MAGIC 0x6574616cu
#define BITMAP_BLOCK 1u
#define FIRST_INODE_BLOCK 2u
#define INODES_PER_BLOCK (BLOCK_SIZE / (uint32_t)sizeof(struct inode))
#define ROOT_INODE 1u
#define DIRECT_BLOCKS 11u
#define NUMBERS_PER_BLOCK (BLOCK_SIZE / (uint32_t)sizeof(uint32_t))
#define FILE_BLOCKS (DIRECT_BLOCKS + NUMBERS_PER_BLOCK)

struct superblock {
    uint32_t magic;
    uint32_t blocks;       /* of the whole disk: no more than the bitmap has bits */
    uint32_t inode_blocks;
};

enum inode_kind { INODE_FREE, INODE_FILE, INODE_DIRECTORY };

struct inode {
    uint32_t kind;
    uint32_t size; /* bytes */
    uint32_t direct[DIRECT_BLOCKS];
    uint32_t indirect; /* a block of numbers of further blocks; 0: none */
    uint32_t unused[2];
};

#define NAME_BYTES 28u

struct directory_entry {
    uint32_t inode; /* 0: the entry is free */
    char name[NAME_BYTES]; /* filled with zeros, of which there is at least one */
};

_Static_assert(sizeof(struct inode) == 64, "an inode divides a block");
_Static_assert(sizeof(struct directory_entry) == 32, "an entry divides a block");

#endif
