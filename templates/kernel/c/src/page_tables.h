/* Page tables, for pages.c; others need pages.h alone. */
#ifndef PAGE_TABLES_H
#define PAGE_TABLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether something is mapped at an address. */
bool is_mapped(uintptr_t address);
/* Machine frame of a pseudo-physical one. */
uint64_t frame_of_page(size_t page);
/* Makes a page a table, and the entry of `level` (2 to LEVELS) for an address point to it. */
long table_insert(uintptr_t address, unsigned int level, void *table);

#endif
