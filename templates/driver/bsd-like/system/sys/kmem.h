#ifndef _SYS_KMEM_H_
#define _SYS_KMEM_H_
#include <stddef.h>
#define KM_NOSLEEP 0x2u
void *kmem_intr_zalloc(size_t size, unsigned int flags);
void kmem_intr_free(void *memory, size_t size);
#endif
