/* Files that a process has open. */
#ifndef FILE_H
#define FILE_H

#include <stdint.h>

enum file_kind { FILE_CLOSED, FILE_CONSOLE, FILE_ON_DISK };

struct file {
    enum file_kind kind;
    uint32_t inode;
    uint32_t offset;
    int flags;
};

/* The system calls of the same names; buffers have been checked. */
int file_open(const char *path, int flags);
int file_close(uint64_t descriptor);
long file_read(uint64_t descriptor, void *buffer, uint64_t size);
long file_write(uint64_t descriptor, const void *buffer, uint64_t size);

#endif
