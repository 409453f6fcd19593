/* Which pages are free. page_tables.c maps them. */
#include "pages.h"

#include "domain.h"
#include "page_tables.h"
#include "text.h"

#define PAGES_PER_TABLE 512ul

/* One bit for each pseudo-physical page: it is in use. */
static uint64_t used[MOST_PAGES / 64];
/* Pages from here on are not mapped, and so cannot be given out. */
static size_t mapped_end;
/* Pages of the domain that we can ever map. */
static size_t last_page;
/* The page that serves as the next table: when all are in use it is too late to look for one. */
static uint64_t *spare;

static void mark(size_t page, bool in_use)
{
    if (in_use)
        used[page / 64] |= 1ull << page % 64;
    else
        used[page / 64] &= ~(1ull << page % 64);
}

static bool is_used(size_t page)
{
    return used[page / 64] >> page % 64 & 1;
}

static void *find(size_t count)
{
    size_t run = 0;
    for (size_t page = 0; page < mapped_end; page++) {
        run = is_used(page) ? 0 : run + 1;
        if (run < count)
            continue;
        size_t first = page + 1 - count;
        for (size_t i = first; i <= page; i++)
            mark(i, true);
        return (void *)(KERNEL_BASE + first * PAGE_SIZE);
    }
    return 0;
}

void pages_start(void)
{
    /* The loader's order: image, ramdisk, P2M, start_info, pages of xenstore and console, page
     * tables, stack. What is behind the stack, and mapped, is free. */
    size_t first = (start_info->pt_base - KERNEL_BASE) / PAGE_SIZE + start_info->nr_pt_frames + 1;
    last_page = start_info->nr_pages < MOST_PAGES ? start_info->nr_pages : MOST_PAGES;
    for (size_t page = 0; page < first; page++)
        mark(page, true);
    mapped_end = first;
    while (mapped_end < last_page && is_mapped(KERNEL_BASE + mapped_end * PAGE_SIZE))
        mapped_end++;
    spare = find(1);
}

/* Maps 2 MiB more of our own memory: one new table, filled while it is still an ordinary page. */
static bool grow(void)
{
    size_t first = (mapped_end + PAGES_PER_TABLE - 1) & ~(PAGES_PER_TABLE - 1);
    if (first >= last_page || !spare)
        return false;
    for (size_t page = mapped_end; page < first; page++)
        mark(page, true);
    memset(spare, 0, PAGE_SIZE);
    size_t end = first + PAGES_PER_TABLE < last_page ? first + PAGES_PER_TABLE : last_page;
    for (size_t page = first; page < end; page++)
        spare[page - first] = frame_of_page(page) * PAGE_SIZE | PAGE_WRITABLE;
    if (table_insert(KERNEL_BASE + first * PAGE_SIZE, 2, spare))
        return false;
    mapped_end = end;
    spare = find(1);
    return true;
}

void *pages_alloc(size_t count)
{
    if (count == 0 || count > MOST_PAGES)
        return 0;
    void *pages = find(count);
    while (!pages && grow())
        pages = find(count);
    return pages ? memset(pages, 0, count * PAGE_SIZE) : 0;
}

void pages_free(void *pages, size_t count)
{
    size_t first = ((uintptr_t)pages - KERNEL_BASE) / PAGE_SIZE;
    for (size_t page = first; page < first + count; page++)
        mark(page, false);
}
