/*
 * Page tables. A table is a page of 512 entries; an entry is the physical address of a page or of a
 * table of the next level, and flags:
 *
 *     address   | 47-39   | 38-30   | 29-21   | 20-12   | 11-0 |
 *               | level 4 | level 3 | level 2 | level 1 | byte |
 */
#include "paging.h"

#include "console.h"
#include "cpu.h"
#include "layout.h"
#include "memory.h"
#include "text.h"

#define PRESENT 1ul
#define WRITE 2ul
#define USER 4ul
#define NO_EXECUTE (1ul << 63)
#define TABLE (PRESENT | WRITE | USER)
#define ENTRY_ADDRESS 0x000ffffffffff000ul

#define LEVELS 4u
#define ENTRIES 512u
#define PROGRAM_SLOT 0u  /* of the top table: the program's half */
#define KERNEL_SLOT 511u /* and the kernel's */

extern char image_start[], text_end[], rodata_end[];

struct space kernel_space;

static inline unsigned int index_of(uint64_t address, unsigned int level)
{
    return address >> (12 + 9 * (level - 1)) & (ENTRIES - 1);
}

static inline void *page_of(uint64_t entry)
{
    return virtual_of(entry & ENTRY_ADDRESS);
}

/* The entry of the last level for an address; 0: a table is missing, and was not to be made. */
static uint64_t *entry_of(const struct space *space, uint64_t address, bool make)
{
    uint64_t *table = space->top;

    for (unsigned int level = LEVELS; level > 1; level--) {
        uint64_t *entry = &table[index_of(address, level)];
        if (!(*entry & PRESENT)) {
            void *next = make ? page_alloc() : 0;
            if (!next)
                return 0;
            *entry = physical_of(next) | TABLE;
        }
        table = page_of(*entry);
    }
    return &table[index_of(address, 1)];
}

static uint64_t kernel_flags(uint64_t address)
{
    if (address >= (uint64_t)image_start && address < (uint64_t)text_end)
        return PRESENT;
    if (address >= (uint64_t)text_end && address < (uint64_t)rodata_end)
        return PRESENT | NO_EXECUTE;
    return PRESENT | WRITE | NO_EXECUTE;
}

void paging_start(void)
{
    kernel_space.top = page_alloc();
    for (uint64_t at = 0; kernel_space.top && at < memory_end(); at += PAGE_SIZE) {
        uint64_t address = KERNEL_BASE + at;
        uint64_t *entry = entry_of(&kernel_space, address, true);
        if (!entry)
            panic("no memory for page tables");
        *entry = at | kernel_flags(address);
    }
    space_load(&kernel_space);
}

bool space_create(struct space *space)
{
    space->top = page_alloc();
    if (space->top)
        space->top[KERNEL_SLOT] = kernel_space.top[KERNEL_SLOT];
    return space->top;
}

/* Frees a table and what it leads to. */
static void table_destroy(uint64_t *table, unsigned int level)
{
    for (unsigned int i = 0; i < ENTRIES; i++) {
        if (!(table[i] & PRESENT))
            continue;
        if (level > 1)
            table_destroy(page_of(table[i]), level - 1);
        else
            page_free(page_of(table[i]));
    }
    page_free(table);
}

void space_destroy(const struct space *space)
{
    if (space->top == kernel_space.top)
        return;
    if (space->top[PROGRAM_SLOT] & PRESENT)
        table_destroy(page_of(space->top[PROGRAM_SLOT]), LEVELS - 1);
    page_free(space->top);
}

static bool table_copy(const struct space *to, const uint64_t *table, unsigned int level,
                       uint64_t address)
{
    for (unsigned int i = 0; i < ENTRIES; i++) {
        uint64_t at = address | (uint64_t)i << (12 + 9 * (level - 1));
        if (!(table[i] & PRESENT))
            continue;
        if (level > 1) {
            if (!table_copy(to, page_of(table[i]), level - 1, at))
                return false;
            continue;
        }
        void *page = space_add_page(to, at, table[i] & WRITE, !(table[i] & NO_EXECUTE));
        if (!page)
            return false;
        memcpy(page, page_of(table[i]), PAGE_SIZE);
    }
    return true;
}

bool space_copy(const struct space *to, const struct space *from)
{
    return !(from->top[PROGRAM_SLOT] & PRESENT) ||
           table_copy(to, page_of(from->top[PROGRAM_SLOT]), LEVELS - 1, 0);
}

void *space_add_page(const struct space *space, uint64_t address, bool writable, bool executable)
{
    uint64_t *entry = entry_of(space, address, true);
    void *page = entry ? page_alloc() : 0;

    if (page)
        *entry = physical_of(page) | PRESENT | USER | (writable ? WRITE : 0) |
                 (executable ? 0 : NO_EXECUTE);
    return page;
}

void space_remove_page(const struct space *space, uint64_t address)
{
    uint64_t *entry = entry_of(space, address, false);

    if (!entry || !(*entry & PRESENT))
        return;
    void *page = page_of(*entry);
    *entry = 0;
    invalidate_page(address);
    page_free(page);
}

void *space_page(const struct space *space, uint64_t address, bool write)
{
    if (address >= USER_END)
        return 0;
    const uint64_t *entry = entry_of(space, address, false);
    if (!entry || !(*entry & PRESENT) || !(*entry & USER) || (write && !(*entry & WRITE)))
        return 0;
    return page_of(*entry);
}

void space_load(const struct space *space)
{
    if (read_cr3() != physical_of(space->top))
        write_cr3(physical_of(space->top));
}
