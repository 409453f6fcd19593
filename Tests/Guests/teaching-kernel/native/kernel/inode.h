/* Inodes and the blocks of files. The file system's lock is held. */
#ifndef INODE_H
#define INODE_H

#include <stdint.h>

#include "disk_format.h"

/* The disk's, checked by file_system_start. */
extern struct superblock superblock;

/* Copies an inode out of the cache, and into it; 0, or an error. */
int inode_read(uint32_t number, struct inode *inode);
int inode_write(uint32_t number, const struct inode *inode);
/* Bytes read or written, fewer at the end of the file or of the disk; negative: an error. Writing
 * changes the inode, which is to be written after. */
long inode_read_bytes(struct inode *inode, uint64_t offset, void *buffer, uint64_t size);
long inode_write_bytes(struct inode *inode, uint64_t offset, const void *buffer, uint64_t size);
/* Makes a file empty, and its blocks free. */
int inode_truncate(uint32_t number);

#endif
