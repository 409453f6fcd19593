#ifndef _LINUX_MM_H
#define _LINUX_MM_H
#define PAGE_SIZE 4096ul
typedef struct { unsigned long pte; } pte_t;
struct mm_struct { int unused; };
extern struct mm_struct init_mm;
int apply_to_page_range(struct mm_struct *mm, unsigned long address, unsigned long size,
                        int (*function)(pte_t *entry, unsigned long address, void *data), void *data);
#endif
