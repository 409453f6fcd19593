/*
 * test: shutdown-crash
 * verdict: crash
 * A domain that finds itself broken says so with reason crash, which is no good end.
 */
#include "guest.h"

void test_main(void)
{
    print("Test result: SUCCESS\n");
    shut_down(SHUTDOWN_crash);
}
