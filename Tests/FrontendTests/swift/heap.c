/* Swift's heap in a guest, over xg_os.h: a piece's size is kept in front of it. */
#include "xg_os.h"

#define HEAD 16u

int posix_memalign(void **memory, size_t alignment, size_t size);
void free(void *memory);

int posix_memalign(void **memory, size_t alignment, size_t size)
{
    uint8_t *piece = alignment <= HEAD ? xg_os_alloc(size + HEAD) : 0;

    if (!piece)
        return XEN_ENOMEM;
    *(size_t *)(void *)piece = size + HEAD;
    *memory = piece + HEAD;
    return 0;
}

void free(void *memory)
{
    if (memory)
        xg_os_free((uint8_t *)memory - HEAD, *(size_t *)(void *)((uint8_t *)memory - HEAD));
}
