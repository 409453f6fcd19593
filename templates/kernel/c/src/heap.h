/* Memory in small pieces. */
#ifndef HEAP_H
#define HEAP_H

#include <stddef.h>

/* Zeroed, aligned for any type; 0: there is none. */
void *heap_alloc(size_t size);
/* Gives back a piece of that size. */
void heap_free(void *piece, size_t size);

#endif
