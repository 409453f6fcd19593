/*
 * test: console-io
 * console_io is the only output that every guest has. Text goes out as it was given, an empty write
 * is fine, a read without input returns 0, and a bad pointer or command is an error and no crash.
 */
#include "guest.h"

void test_main(void)
{
    static char text[] = "a line in two halves, second half\n";
    HYPERVISOR_console_io(CONSOLEIO_write, 22, text);
    HYPERVISOR_console_io(CONSOLEIO_write, sizeof(text) - 1 - 22, text + 22);

    expect_result("write of nothing", HYPERVISOR_console_io(CONSOLEIO_write, 0, text), 0);
    expect_result("write from an unmapped address",
                  HYPERVISOR_console_io(CONSOLEIO_write, 16, (char *)UNMAPPED_ADDRESS), -XEN_EFAULT);
    expect_result("write from the hypervisor's range",
                  HYPERVISOR_console_io(CONSOLEIO_write, 16, (char *)HYPERVISOR_ADDRESS),
                  -XEN_EFAULT);
    static char buffer[64];
    expect_result("read without input",
                  HYPERVISOR_console_io(CONSOLEIO_read, sizeof(buffer), buffer), 0);
    expect_result("unknown command", HYPERVISOR_console_io(2, 1, text), -XEN_ENOSYS);
    expect_result("unknown command, all bits", HYPERVISOR_console_io(~0u, 1, text), -XEN_ENOSYS);
}
