/*
 * test: attack-console-length
 * Vcpu 1 prints without an end: sixteen megabytes in one call, out of one page that is mapped again and
 * again. A careless hypervisor keeps the processor until the serial line has taken all of it. Vcpu 0
 * shares the processor and must get its turns. The text looks like another domain's, which nobody
 * compares.
 */
#include "guest.h"

#define AREA FREE_ADDRESS
#define PAGES 4096

static void print_without_end(void)
{
    while (!second_shall_stop())
        HYPERVISOR_console_io(CONSOLEIO_write, PAGES * PAGE_SIZE, (char *)AREA);
}

void test_main(void)
{
    char *page = page_alloc();
    memset(page, '.', PAGE_SIZE);
    memcpy(page, "(d1) ", 5);
    page[PAGE_SIZE - 1] = '\n';
    for (unsigned int i = 0; i < PAGES; i++)
        if (map(AREA + i * PAGE_SIZE, pte_make(mfn_of(page), PTE_READ_ONLY)))
            panic("cannot map");
    if (!second_start(print_without_end))
        return;
    for (unsigned int turns = 0; turns < 5; turns++)
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
    struct vcpu_runstate_info info;
    HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 1, &info);
    /* What the call reads goes away, and it ends. */
    if (entry_write(&top_table()[table_index(AREA, 4)], 0))
        panic("cannot unmap");
    second_stop();
    /* Wherever the text broke off, its line ends; also where another domain's came in between, to which
     * a line that begins so belongs. */
    print("(d1) \n(d1)\n");
    expect_true("five turns take less than ten seconds",
                info.time[RUNSTATE_running] < 10 * SECONDS);
}
