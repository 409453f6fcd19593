/*
 * test: console-read
 * CONSOLEIO_read where nothing was typed: whatever the buffer is there is nothing to put into it, and
 * only a length that no answer could tell is refused.
 */
#include "guest.h"

static long read_console(uint32_t length, char *buffer)
{
    return HYPERVISOR_console_io(CONSOLEIO_read, length, buffer);
}

void test_main(void)
{
    static char buffer[64] = "untouched";
    expect_result("nothing typed", read_console(sizeof(buffer), buffer), 0);
    expect_result("length 0", read_console(0, buffer), 0);
    expect_result("length 0, no buffer", read_console(0, 0), 0);
    expect_result("no buffer", read_console(16, 0), 0);
    expect_result("unmapped address", read_console(16, (char *)UNMAPPED_ADDRESS), 0);
    expect_result("the hypervisor's range", read_console(16, (char *)HYPERVISOR_ADDRESS), 0);
    expect_result("2^31 - 1 bytes", read_console(0x7fffffff, buffer), 0);
    expect_result("2^31 bytes", read_console(0x80000000, buffer), -XEN_E2BIG);
    expect_result("2^32 - 1 bytes", read_console(~0u, (char *)UNMAPPED_ADDRESS), -XEN_E2BIG);
    expect_text("the buffer", buffer, "untouched");
}
