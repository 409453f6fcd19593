#ifndef _LINUX_GFP_H
#define _LINUX_GFP_H
#include <stddef.h>
typedef unsigned int gfp_t;
#define GFP_KERNEL 0xcc0u
#define __GFP_ZERO 0x100u
void *alloc_pages_exact(size_t size, gfp_t flags);
void free_pages_exact(void *address, size_t size);
#endif
