/* Free pages: a list of them, each of which says where the next one is. */
#include "memory.h"

#include <stdbool.h>

#include "console.h"
#include "cpu.h"
#include "text.h"

#define BOOT_MAGIC 0x336ec578u
#define MEMORY_USABLE 1u

/* What a PVH loader passes on, at physical addresses. */
struct boot_info {
    uint32_t magic, version, flags, modules;
    uint64_t module_list, command_line, acpi, memory_map;
    uint32_t memory_ranges, reserved;
};

struct memory_range {
    uint64_t start, size;
    uint32_t kind, reserved;
};

struct free_page {
    struct free_page *next;
};

extern char image_end[];

static struct free_page *free_pages;
static size_t free_count;
static uint64_t end;

static void add_range(uint64_t start, uint64_t stop)
{
    uint64_t first = physical_of(image_end);

    /* What is below the image belongs to the firmware and to the loader. */
    start = (start < first ? first : start + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1ul);
    stop = (stop < PHYSICAL_LIMIT ? stop : PHYSICAL_LIMIT) & ~(PAGE_SIZE - 1ul);
    for (uint64_t page = start; page < stop; page += PAGE_SIZE)
        page_free(virtual_of(page));
    if (stop > start && stop > end)
        end = stop;
}

void memory_start(uint64_t boot_info)
{
    const struct boot_info *info = virtual_of(boot_info);

    if (info->magic != BOOT_MAGIC || info->version < 1)
        panic("the loader passes no memory map");
    const struct memory_range *range = virtual_of(info->memory_map);
    for (uint32_t i = 0; i < info->memory_ranges; i++) {
        if (range[i].kind == MEMORY_USABLE)
            add_range(range[i].start, range[i].start + range[i].size);
    }
}

uint64_t memory_end(void)
{
    return end;
}

void *page_alloc(void)
{
    uint64_t flags = interrupts_save();
    struct free_page *page = free_pages;

    if (page) {
        free_pages = page->next;
        free_count--;
    }
    interrupts_restore(flags);
    return page ? memset(page, 0, PAGE_SIZE) : 0;
}

void page_free(void *page)
{
    uint64_t flags = interrupts_save();
    struct free_page *freed = page;

    freed->next = free_pages;
    free_pages = freed;
    free_count++;
    interrupts_restore(flags);
}

size_t pages_free_count(void)
{
    return free_count;
}
