/*
 * Files made and taken away, empty and with 10 KiB in them.
 */
#include "bench.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define FILES 32

static unsigned int which;
static unsigned int size;

static const char *name(void)
{
    static char text[32];
    snprintf(text, sizeof text, "/tmp/made-%u", which++ % FILES);
    return text;
}

static void create(void)
{
    static char contents[10 << 10];
    int file = open(name(), O_CREAT | O_EXCL | O_WRONLY, 0600);
    check(file >= 0 && write(file, contents, size) == (ssize_t)size && close(file) == 0, "a file");
}

static void delete(void)
{
    check(unlink(name()) == 0, "unlink");
}

static void create_all(void)
{
    for (unsigned int count = 0; count < FILES; count++)
        create();
}

static void delete_all(void)
{
    for (unsigned int count = 0; count < FILES; count++)
        delete();
}

void measure_files(void)
{
    for (size = 0; size <= 10 << 10; size += 10 << 10) {
        report(size ? "create-10k" : "create-0k", median(FILES, create, delete_all));
        create_all();
        report(size ? "delete-10k" : "delete-0k", median(FILES, delete, create_all));
        delete_all();
    }
}
