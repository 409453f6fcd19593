/*
 * The files: a tar archive (POSIX ustar, or GNU's format without its extensions) that is the disk. It
 * is only read.
 */
#ifndef ARCHIVE_H
#define ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xg_block.h"

struct file {
    const char *name;   /* without a slash at its start */
    uint64_t sector;    /* where its bytes begin on the disk */
    uint64_t size;      /* bytes, all of which are on the disk */
};

/* Reads the headers of the archive on a disk; 0: it is none, and why has been printed. Driver
 * context. */
size_t archive_open(struct xg_block *disk);
/* The file of that name; 0: there is none. */
const struct file *archive_find(const char *name);
/* Bytes of all files. */
uint64_t archive_bytes(void);

#endif
