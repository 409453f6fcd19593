/*
 * Swift's heap in a guest. Swift takes an object whose address has its highest bit set for one that
 * lives for ever, and counts no references to it: arrays would be changed where they are shared. A PV
 * kernel lives at such addresses, so the heap's pages are mapped a second time, at low ones.
 */
#include "guest.h"

#define WINDOW 0x100000000000ul
#define PAGES 512u
#define HEAD 16u
#define ORDERS 22u

struct piece {
    size_t order;
    struct piece *next; /* of the free ones */
};

static uint8_t memory[PAGES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static uint64_t used, mapped;
static struct piece *free_pieces[ORDERS];

int posix_memalign(void **place, size_t alignment, size_t size);
void free(void *place);

static struct piece *take_new(size_t size)
{
    uint64_t first = used;

    if (size > sizeof(memory) - used)
        return 0;
    used += size;
    for (; mapped < used; mapped += PAGE_SIZE) {
        if (map(WINDOW + mapped, pte_make(mfn_of((uint8_t *)memory + mapped), PTE_READ_WRITE)))
            return 0;
    }
    return (struct piece *)(WINDOW + first);
}

int posix_memalign(void **place, size_t alignment, size_t size)
{
    size_t order = 5;

    while (order < ORDERS && (1ul << order) - HEAD < size)
        order++;
    if (order == ORDERS || alignment > HEAD)
        return XEN_ENOMEM;
    struct piece *piece = free_pieces[order];
    if (piece)
        free_pieces[order] = piece->next;
    else
        piece = take_new(1ul << order);
    if (!piece)
        return XEN_ENOMEM;
    piece->order = order;
    *place = (uint8_t *)piece + HEAD;
    return 0;
}

void free(void *place)
{
    if (!place)
        return;
    struct piece *piece = (struct piece *)(void *)((uint8_t *)place - HEAD);
    piece->next = free_pieces[piece->order];
    free_pieces[piece->order] = piece;
}
