/*
 * test: attack-console
 * console_io with huge and negative lengths, with commands that do not exist, and reads into
 * read-only memory and the hypervisor. A careless hypervisor prints until the end of memory with
 * interrupts off, or copies into a buffer of its own by the guest's length.
 */
#include "guest.h"

void test_main(void)
{
    /* An empty line at the end of a page, after which nothing is mapped. */
    static char pages[2 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
    char *last = pages + PAGE_SIZE - 1;
    *last = '\n';
    if (HYPERVISOR_update_va_mapping((unsigned long)pages + PAGE_SIZE, 0, UVMF_INVLPG))
        panic("cannot unmap");
    static const uint32_t counts[] = {2, 128, PAGE_SIZE, 0x7fffffff, 0x80000000, 0xffffffff};
    refusals_begin();
    for (unsigned int i = 0; i < 6; i++)
        refusal(HYPERVISOR_console_io(CONSOLEIO_write, counts[i], last), counts[i]);
    refusals_end("lengths that lead into nothing");
    const uint64_t places[] = {HYPERVISOR_ADDRESS, hypervisor_start(), HYPERVISOR_IMAGE,
                                      NON_CANONICAL_ADDRESS, ~0ul};
    refusals_begin();
    for (unsigned int i = 0; i < 5; i++)
        for (unsigned int j = 0; j < 6; j++)
            refusal(HYPERVISOR_console_io(CONSOLEIO_write, counts[j], (char *)places[i]),
                    places[i]);
    refusals_end("places of the hypervisor");
    refusals_begin();
    for (uint32_t command = 2; command < 40; command++)
        refusal(HYPERVISOR_console_io(command, 1, last), command);
    refusal(HYPERVISOR_console_io(0xffffffff, 1, last), 0xffffffff);
    refusal(HYPERVISOR_console_io(0x80000000, 1, last), 0x80000000);
    refusals_end("commands that do not exist");
    /* Nobody types: a read has nothing to give, or refuses. */
    pte_t *top = top_table(), before = top[3];
    for (unsigned int i = 0; i < 5; i++) {
        HYPERVISOR_console_io(CONSOLEIO_read, 0xffffffff, (char *)places[i]);
        HYPERVISOR_console_io(CONSOLEIO_read, 8, (char *)&top[3]);
    }
    expect_true("the page table is as before", top[3] == before);
}
