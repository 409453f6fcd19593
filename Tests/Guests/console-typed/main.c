/*
 * test: console-typed
 * CONSOLEIO_read where something was typed (input.txt): the bytes come in order and once, and a bad
 * buffer or length loses none of them. With "flood" on the command line (.ci/flood) it reads for four
 * seconds whatever there is, without a pause.
 */
#include "guest.h"

static long read_console(uint32_t length, char *buffer)
{
    return HYPERVISOR_console_io(CONSOLEIO_read, length, buffer);
}

/* Asks until there is another answer than 0. */
static long wait_console(uint32_t length, char *buffer)
{
    long result;
    while ((result = read_console(length, buffer)) == 0)
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
    return result;
}

static void read_flood(void)
{
    static char bytes[1024];
    uint64_t count = 0, end = system_time() + 4 * SECONDS;
    while (system_time() < end)
        count += (uint64_t)read_console(sizeof(bytes), bytes);
    print("bytes: %lu\n", count);
}

void test_main(void)
{
    if (!strncmp((const char *)start_info->cmd_line, "flood", 5)) {
        read_flood();
        return;
    }
    static char text[64];
    expect_true("VIRQ_CONSOLE can be bound", bind_virq(VIRQ_CONSOLE, 0) > 0);
    expect_result("one byte", wait_console(1, text), 1);
    expect_result("unmapped address", wait_console(16, (char *)UNMAPPED_ADDRESS), -XEN_EFAULT);
    expect_result("the hypervisor's range", wait_console(16, (char *)HYPERVISOR_ADDRESS),
                  -XEN_EFAULT);
    expect_result("length 0", read_console(0, text + 1), 0);
    expect_result("2^31 bytes", read_console(0x80000000, text + 1), -XEN_E2BIG);
    size_t count = 1;
    while (count < sizeof(text) - 1 && text[count - 1] != '.')
        count += (size_t)wait_console((uint32_t)(sizeof(text) - 1 - count), text + count);
    expect_text("what was typed", text, "typed on the console, all of it.");
    expect_result("and no more", read_console(sizeof(text), text), 0);
}
