#ifndef _LINUX_SLAB_H
#define _LINUX_SLAB_H
#include <linux/gfp.h>
void *kzalloc(size_t size, gfp_t flags);
void kfree(const void *memory);
#endif
