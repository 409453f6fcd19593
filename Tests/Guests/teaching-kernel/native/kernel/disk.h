/* The disk. */
#ifndef DISK_H
#define DISK_H

#include <stdint.h>

enum disk_operation { DISK_READ, DISK_WRITE, DISK_FLUSH };

/* Finds it; panics if there is none. */
void disk_start(void);
/* Lets go of it before the end. */
void disk_stop(void);
/* Blocks that it has. */
uint32_t disk_blocks(void);
/* Reads or writes a block of BLOCK_SIZE bytes in memory of the kernel's image, or brings what was
 * written to the medium; sleeps until that is done. One call at a time. */
int disk_transfer(enum disk_operation operation, uint32_t block, void *data);

#endif
