/*
 * Pages and page tables.
 *
 * Three kinds of number name a page:
 *     pseudo-physical frame   0, 1, 2 ...: the domain's own memory, without holes
 *     machine frame           where the page really is: what page tables and hypercalls want
 *     virtual address         KERNEL_BASE + pseudo-physical frame * 4096, for all pages mapped here
 * P2M (start_info->mfn_list) leads from the first to the second; M2P, which the hypervisor maps
 * for everyone, leads back.
 */
#ifndef PAGES_H
#define PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "machine.h"

#define PAGE_SIZE 4096ul

/* Bits of a page-table entry, as the processor has them. */
#define PAGE_PRESENT 0x1ull
#define PAGE_WRITE 0x2ull
#define PAGE_USER 0x4ull
#define PAGE_NO_EXECUTE (1ull << 63)
#define PAGE_READABLE (PAGE_PRESENT | PAGE_KERNEL)
#define PAGE_WRITABLE (PAGE_READABLE | PAGE_WRITE)

/* Finds out which memory is free. */
void pages_start(void);

/* So many pages in a row, zeroed; 0: there are none. */
void *pages_alloc(size_t count);
void pages_free(void *pages, size_t count);

/* The machine frame of a page of ours, and a page of ours by its machine frame. */
uint64_t frame_of(const void *page);
void *page_of_frame(uint64_t frame);

/* Maps a machine frame at a page-aligned address, making the tables that are missing. 0, or what
 * the hypervisor refused it with. */
long map(uintptr_t address, uint64_t frame, uint64_t flags);
/* Takes the mapping away and flushes it from the TLB. */
long unmap(uintptr_t address);

#endif
