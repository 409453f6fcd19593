/* Copies a file and compares checksums: copy FROM TO. */
#include "user.h"

static uint8_t buffer[3000];

static uint64_t sum_of(const char *path)
{
    int file = open(path, 0);
    uint64_t sum = 0;
    long count;

    while ((count = read(file, buffer, sizeof(buffer))) > 0)
        sum = checksum(sum, buffer, (size_t)count);
    close(file);
    return sum;
}

int main(int count, char **arguments)
{
    if (count != 3)
        return 1;
    int from = open(arguments[1], 0);
    int to = open(arguments[2], OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE);
    long size;
    bool written = from >= 0 && to >= 0;
    while (written && (size = read(from, buffer, sizeof(buffer))) > 0)
        written = write(to, buffer, (size_t)size) == size;
    close(from);
    close(to);
    check("the file is copied", written && sync() == 0);
    check("both have the same checksum", sum_of(arguments[1]) == sum_of(arguments[2]));
    return check_status();
}
