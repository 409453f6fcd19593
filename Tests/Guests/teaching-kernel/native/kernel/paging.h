/* Page tables: the kernel's own, and an address space for each process. */
#ifndef PAGING_H
#define PAGING_H

#include <stdbool.h>
#include <stdint.h>

/* An address space, by its top table. All have the kernel's half in common. */
struct space {
    uint64_t *top;
};

/* The space of kernel threads, which has no program's half. */
extern struct space kernel_space;

/* Leaves the tables of boot.S for tables that say what may be written and executed. */
void paging_start(void);

/* Makes a space without a program; false: no memory. */
bool space_create(struct space *space);
/* Frees a space and all that is mapped in the program's half; the kernel's own stays. It is not
 * loaded. */
void space_destroy(const struct space *space);
/* Makes everything of a program's half anew in another space; false: no memory. */
bool space_copy(const struct space *to, const struct space *from);
/* Maps a new page of zeros for the program and gives the kernel's address of it; 0: no memory. */
void *space_add_page(const struct space *space, uint64_t address, bool writable, bool executable);
/* Takes a page away from the program that is loaded. */
void space_remove_page(const struct space *space, uint64_t address);
/* The kernel's address of a program's page; 0: the program cannot read it, or not write it. */
void *space_page(const struct space *space, uint64_t address, bool write);
/* Lets the processor use it. */
void space_load(const struct space *space);

#endif
