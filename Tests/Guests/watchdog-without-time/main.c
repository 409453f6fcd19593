/*
 * test: watchdog-without-time
 * verdict: crash
 * A watchdog started with no time at all expires at once: 0 is a length here and no way to ask
 * whether there are watchdogs.
 */
#include "guest.h"

void test_main(void)
{
    print("Test result: SUCCESS\n");
    struct sched_watchdog watchdog = {.id = 0, .timeout = 0};
    HYPERVISOR_sched_op(SCHEDOP_watchdog, &watchdog, 0);
    uint64_t start = system_time();
    while (system_time() - start < 5 * SECONDS)
        barrier();
    failure("five seconds went by");
}
