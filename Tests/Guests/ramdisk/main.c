/*
 * test: ramdisk
 * A second boot module is the guest's ramdisk: mapped from a page's beginning, whole, of its exact
 * length, and nothing else behind its end on the last page. The ramdisk is numbers.txt: the numbers
 * from 1 to 1500, each on a line, which end in the middle of a page.
 */
#include "guest.h"

/* The text of the number and a newline, from the front. */
static size_t line_of(unsigned int number, char *line)
{
    char digits[12];
    size_t count = 0, length = 0;
    for (; number; number /= 10)
        digits[count++] = '0' + number % 10;
    while (count)
        line[length++] = digits[--count];
    line[length++] = '\n';
    return length;
}

void test_main(void)
{
    const char *disk = (const char *)start_info->mod_start;
    size_t length = start_info->mod_len;
    expect_value("bytes", length, 6393);
    expect_true("begins with a page", ((uintptr_t)disk & (PAGE_SIZE - 1)) == 0);
    expect_value("a frame number and no address", start_info->flags & SIF_MOD_START_PFN, 0);

    size_t at = 0;
    unsigned int right = 0;
    char line[16];
    for (unsigned int number = 1; number <= 1500; number++) {
        size_t size = line_of(number, line);
        if (at + size > length || memcmp(disk + at, line, size))
            break;
        at += size;
        right++;
    }
    expect_value("lines that are right", right, 1500);
    expect_value("bytes behind them", length - at, 0);

    bool clear = true;
    for (at = length; at & (PAGE_SIZE - 1); at++)
        clear = clear && !disk[at];
    expect_true("zeroes up to the page's end", clear);
    expect_text("command line", (const char *)start_info->cmd_line, "one,two");
}
