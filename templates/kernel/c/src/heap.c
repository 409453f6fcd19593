/*
 * A heap of powers of two: a list of free pieces for each of 16, 32 ... 2048 bytes, filled a page
 * at a time. Larger pieces are whole pages. Pieces carry no header, so the caller tells their size.
 */
#include "heap.h"

#include "pages.h"
#include "text.h"

#define SMALLEST 16ul
#define SIZES 8u

struct piece {
    struct piece *next;
};

static struct piece *free_pieces[SIZES];

static unsigned int index_of(size_t size)
{
    unsigned int index = 0;
    while (SMALLEST << index < size)
        index++;
    return index;
}

void *heap_alloc(size_t size)
{
    if (size > SMALLEST << (SIZES - 1))
        return pages_alloc((size + PAGE_SIZE - 1) / PAGE_SIZE);
    unsigned int index = index_of(size);
    size = SMALLEST << index;
    if (!free_pieces[index]) {
        uint8_t *page = pages_alloc(1);
        for (size_t at = 0; page && at < PAGE_SIZE; at += size)
            heap_free(page + at, size);
    }
    struct piece *piece = free_pieces[index];
    if (!piece)
        return 0;
    free_pieces[index] = piece->next;
    return memset(piece, 0, size);
}

void heap_free(void *memory, size_t size)
{
    if (!memory)
        return;
    if (size > SMALLEST << (SIZES - 1)) {
        pages_free(memory, (size + PAGE_SIZE - 1) / PAGE_SIZE);
        return;
    }
    struct piece *piece = memory;
    piece->next = free_pieces[index_of(size)];
    free_pieces[index_of(size)] = piece;
}
