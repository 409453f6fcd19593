/* Physical memory, in pages. The kernel sees all of it at KERNEL_BASE. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "layout.h"

static inline uint64_t physical_of(const void *address)
{
    return (uint64_t)address - KERNEL_BASE;
}

static inline void *virtual_of(uint64_t physical)
{
    return (void *)(physical + KERNEL_BASE);
}

struct boot_info;

/* Finds out from the loader what memory there is. */
void memory_start(uint64_t boot_info);
/* The end of physical memory, as far as the kernel uses it. */
uint64_t memory_end(void);

/* A page of zeros; 0: there is none left. */
void *page_alloc(void);
void page_free(void *page);
size_t pages_free_count(void);

#endif
