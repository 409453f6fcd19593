/* Memory: the heap grows and shrinks, and what comes is empty. */
#include "user.h"

#define PAGE 4096
#define PAGES 64

int main(int count, char **arguments)
{
    uint8_t *heap = sbrk(PAGES * PAGE);
    bool empty = true, kept = true;

    (void)count;
    (void)arguments;
    for (long i = 0; i < PAGES * PAGE; i++)
        empty = heap[i] == 0 && empty;
    check("new memory is all zeros", empty);
    for (int page = 0; page < PAGES; page++)
        heap[page * PAGE + page] = (uint8_t)(page + 1);
    for (int page = 0; page < PAGES; page++)
        kept = heap[page * PAGE + page] == page + 1 && kept;
    check("it keeps what is written", kept);

    check("half of it is given back", sbrk(-PAGES / 2 * PAGE) == heap + PAGES * PAGE);
    heap[PAGES / 2 * PAGE - 1] = 7;
    sbrk(PAGE);
    check("and comes again as zeros", heap[PAGES / 2 * PAGE + PAGES / 2] == 0);
    check("too much is refused", sbrk(1l << 40) == (uint8_t *)-1);
    check("the kernel looks at addresses",
          write(CONSOLE, heap + PAGES * PAGE, 1) == ERROR_FAULT &&
              write(CONSOLE, (void *)0xffffffff80100000, 1) == ERROR_FAULT);
    return check_status();
}
