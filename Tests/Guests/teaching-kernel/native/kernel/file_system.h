/* The file system; disk_format.h draws it. */
#ifndef FILE_SYSTEM_H
#define FILE_SYSTEM_H

#include <stdint.h>

/* Reads the superblock; the disk has been found. */
void file_system_start(void);

/* The inode of a path, made or emptied as the flags of open say; negative: an error. */
int file_system_open(const char *path, int flags);
/* Bytes read or written, fewer at the end of the file or of the disk; negative: an error. */
long file_system_read(uint32_t inode, uint64_t offset, void *buffer, uint64_t size);
long file_system_write(uint32_t inode, uint64_t offset, const void *buffer, uint64_t size);
/* Brings everything to the disk, and forgets what is in memory. */
int file_system_sync(void);

#endif
