/* Frames and page tables. Addresses of the image and of the initial region translate by offset. */
#ifndef GUEST_MEMORY_H
#define GUEST_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "xenabi.h"

#define PAGE_SIZE XEN_PAGE_SIZE

typedef uint64_t pte_t;
typedef uint64_t mfn_t;
typedef uint64_t pfn_t;

#define PTE_PRESENT 0x001ull
#define PTE_WRITE 0x002ull
#define PTE_USER 0x004ull
#define PTE_WRITE_THROUGH 0x008ull
#define PTE_CACHE_DISABLE 0x010ull
#define PTE_ACCESSED 0x020ull
#define PTE_DIRTY 0x040ull
#define PTE_LARGE 0x080ull
#define PTE_GLOBAL 0x100ull
#define PTE_SOFTWARE 0xe00ull
#define PTE_NX 0x8000000000000000ull
#define PTE_FRAME 0x000ffffffffff000ull

/*
 * Flags of an ordinary page, read-only and writable, and of a table in a higher one. On 64 bits the
 * kernel is in ring 3 as user mode is.
 */
#ifdef __x86_64__
#define PTE_READ_ONLY (PTE_PRESENT | PTE_USER | PTE_ACCESSED)
#else
#define PTE_READ_ONLY (PTE_PRESENT | PTE_ACCESSED)
#endif
#define PTE_READ_WRITE (PTE_READ_ONLY | PTE_WRITE | PTE_DIRTY)
#define PTE_TABLE (PTE_PRESENT | PTE_USER | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY)

/* Of a table in one of `level`: the processor reserves most bits of the four top entries of PAE. */
static inline pte_t table_flags(unsigned int level)
{
    return PAGING_LEVELS == 3 && level == 3 ? PTE_PRESENT : PTE_TABLE;
}

static inline pte_t pte_make(mfn_t mfn, pte_t flags)
{
    return mfn << XEN_PAGE_SHIFT | flags;
}

static inline mfn_t pte_frame(pte_t pte)
{
    return (pte & PTE_FRAME) >> XEN_PAGE_SHIFT;
}

/* Between an address in the initial region, its pseudo-physical and its machine frame. */
pfn_t pfn_of(const volatile void *address);
mfn_t mfn_of(const volatile void *address);
mfn_t mfn_of_pfn(pfn_t pfn);
pfn_t pfn_of_mfn(mfn_t mfn);
/* The M2P table: an array of words. */
const volatile unsigned long *machine_to_physical(void);
/* Where it, or the room for it, ends. */
uintptr_t machine_to_physical_end(void);
void *address_of_mfn(mfn_t mfn);
/* Machine address of a byte, e.g. of a page-table entry. */
uint64_t machine_address(const volatile void *address);

/* A zeroed page of the image's own pool, writable; panics when there is none left. */
void *page_alloc(void);

/* Top table in use at the start, as a virtual address. */
pte_t *top_table(void);
/*
 * A new top table that maps nothing, to be made read-only and pinned: on 32 bits its last entry leads
 * to a table for the hypervisor's slots.
 */
pte_t *top_make(void);
/* The entries under a top table that are the hypervisor's; on 32 bits those in the last one's table. */
pte_t *hypervisor_slots(pte_t *top, unsigned int *count);
unsigned int table_index(uint64_t address, unsigned int level);
/* The entry of `level` (1 to PAGING_LEVELS) that maps an address in a top table; 0 if a table above misses. */
pte_t *entry_of(pte_t *top, uint64_t address, unsigned int level);

/* mmu_update with one element; the command stands in the low bits of `pointer`. */
long mmu_update_one(uint64_t pointer, uint64_t value);
/* Writes an entry of any level. */
long entry_write(pte_t *entry, pte_t value);
/* mmuext_op with one element. */
long mmuext_frame(unsigned int command, mfn_t mfn);
long mmuext_address(unsigned int command, uint64_t address);

/* Changes how the initial region maps a page, with invlpg; the result of update_va_mapping. */
long page_set_flags(void *page, pte_t flags);
/* The same for a test that cannot go on without. */
void page_read_only(void *page);
void page_writable(void *page);

/* Maps an address in a top table, making the tables between; returns the last call's result. */
long map_in(pte_t *top, uint64_t address, pte_t value);
/* The same in the kernel's table. */
long map(uint64_t address, pte_t value);

#endif /* GUEST_MEMORY_H */
