/*
 * test: shutdown-reboot
 * verdict: reboot
 * A domain that shuts down with reason reboot is said to want one.
 */
#include "guest.h"

void test_main(void)
{
    print("Test result: SUCCESS\n");
    shut_down(SHUTDOWN_reboot);
}
