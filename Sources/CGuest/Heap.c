/*
 * The heap of a Swift guest: posix_memalign and free, and whole pages for devices.
 *
 *      descriptors | page 0 | page 1 | ...
 *
 * Each page has a descriptor. A run of pages, free or taken, has its length in its first one; a
 * page of pieces has their size's logarithm. Pages of pieces stay so for ever.
 */
#include <stddef.h>
#include <stdint.h>
#include "guest.h"

#define PAGE 4096u
#define SMALLEST 4u /* 16 bytes */
#define LARGEST 11u /* 2048 bytes */

enum state { INSIDE, FREE, TAKEN, PIECES };

struct descriptor {
    uint32_t length; /* Pages of the run; for pieces the logarithm of their size. */
    uint32_t state;
};

struct piece {
    struct piece *next;
};

static struct descriptor *descriptors;
static uint8_t *pages;
static size_t total, unused, rover;
static struct piece *lists[LARGEST + 1];

void guest_heap_start(uint64_t first, uint64_t page_count) {
    size_t own = (page_count * sizeof(struct descriptor) + PAGE - 1) / PAGE;
    descriptors = (struct descriptor *)first;
    pages = (uint8_t *)first + own * PAGE;
    total = unused = page_count - own;
    for (size_t i = 0; i < total; i++)
        descriptors[i] = (struct descriptor){0, INSIDE};
    descriptors[0] = (struct descriptor){(uint32_t)total, FREE};
}

size_t guest_free_page_count(void) { return unused; }

/* The first run that is long enough, between two places; neighbours that are free are joined on the way. */
static void *search(size_t from, size_t to, size_t count) {
    for (size_t i = from; i < to;) {
        struct descriptor *d = &descriptors[i];
        size_t length = d->state == PIECES ? 1 : d->length;
        if (d->state == FREE) {
            while (i + d->length < total && descriptors[i + d->length].state == FREE) {
                struct descriptor *next = &descriptors[i + d->length];
                d->length += next->length;
                *next = (struct descriptor){0, INSIDE};
            }
            length = d->length;
            if (length >= count) {
                if (length > count)
                    descriptors[i + count] = (struct descriptor){(uint32_t)(length - count), FREE};
                *d = (struct descriptor){(uint32_t)count, TAKEN};
                unused -= count;
                rover = i + count < total ? i + count : 0;
                return pages + i * PAGE;
            }
        }
        i += length;
    }
    return NULL;
}

void *guest_take_pages(size_t count) {
    if (count == 0 || count > unused)
        return NULL;
    /* The rover may have been joined to the run before it. */
    size_t from = descriptors[rover].state == INSIDE ? 0 : rover;
    void *found = search(from, total, count);
    return found ? found : search(0, total, count);
}

static size_t index_of(const void *address) { return (size_t)((const uint8_t *)address - pages) / PAGE; }

void guest_give_pages(void *address) {
    struct descriptor *d = &descriptors[index_of(address)];
    d->state = FREE;
    unused += d->length;
}

static void *take_piece(unsigned log) {
    if (!lists[log]) {
        uint8_t *page = guest_take_pages(1);
        if (!page)
            return NULL;
        descriptors[index_of(page)] = (struct descriptor){log, PIECES};
        for (size_t offset = 0; offset < PAGE; offset += (size_t)1 << log) {
            struct piece *piece = (struct piece *)(page + offset);
            piece->next = lists[log];
            lists[log] = piece;
        }
    }
    struct piece *piece = lists[log];
    lists[log] = piece->next;
    return piece;
}

int posix_memalign(void **result, size_t alignment, size_t size);
int posix_memalign(void **result, size_t alignment, size_t size) {
    if (size < alignment)
        size = alignment;
    void *found = NULL;
    if (size <= (size_t)1 << LARGEST) {
        unsigned log = SMALLEST;
        while ((size_t)1 << log < size)
            log++;
        found = take_piece(log);
    } else if (alignment <= PAGE && size <= SIZE_MAX - PAGE) {
        found = guest_take_pages((size + PAGE - 1) / PAGE);
    }
    if (!found)
        return 12; /* ENOMEM */
    *result = found;
    return 0;
}

void free(void *address);
void free(void *address) {
    if (!address)
        return;
    struct descriptor *d = &descriptors[index_of(address)];
    if (d->state == PIECES) {
        struct piece *piece = address;
        piece->next = lists[d->length];
        lists[d->length] = piece;
    } else {
        guest_give_pages(address);
    }
}

/* Hash seeds: no secret depends on them, so the counter is mixed and that is all. */
void arc4random_buf(void *buffer, size_t count);
void arc4random_buf(void *buffer, size_t count) {
    static uint64_t state;
    uint8_t *bytes = buffer;
    for (size_t i = 0; i < count; i++) {
        state = (state ^ guest_rdtsc()) * 0x9e3779b97f4a7c15u;
        state ^= state >> 29;
        bytes[i] = (uint8_t)(state >> 32);
    }
}
