/*
 * A file mapped, touched and unmapped, and the faults of touching.
 */
#include "bench.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE 4096ul
#define SIZE (4ul << 20)
/* Pages around one that faults are mapped with it: from here on they are not. */
#define FAR_APART (16 * PAGE)
#define PLACES (SIZE / FAR_APART)

static int file;
static volatile char *mapping;
static unsigned int place;

static volatile char *map_file(void)
{
    volatile char *start = mmap(0, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    check(start != MAP_FAILED, "mmap");
    return start;
}

static void unmap(volatile char *start)
{
    check(munmap((void *)start, SIZE) == 0, "munmap");
}

/* As lmbench's lat_mmap: a byte of each tenth page. */
static void map_touch_unmap(void)
{
    volatile char *start = map_file();
    for (unsigned long offset = 0; offset < SIZE; offset += 10 * PAGE)
        start[offset] = 1;
    unmap(start);
}

static void touch(void)
{
    /* An odd factor: every place once, and none beside the last. */
    (void)mapping[place++ * 37 % PLACES * FAR_APART];
}

static void map_anew(void)
{
    unmap(mapping);
    mapping = map_file();
    place = 0;
}

void measure_memory(void)
{
    static char contents[PAGE];
    check((file = open("/tmp/mapped", O_CREAT | O_RDWR, 0600)) >= 0, "a file");
    for (unsigned long offset = 0; offset < SIZE; offset += PAGE)
        check(write(file, contents, PAGE) == (ssize_t)PAGE, "a page");
    report("mmap", median(1, map_touch_unmap, 0));
    mapping = map_file();
    report("page-fault", median(PLACES, touch, map_anew));
    unmap(mapping);
    close(file);
}
