/*
 * test: watchdog-expires
 * verdict: crash
 * A watchdog that is not fed in time ends the domain, also while it computes with events masked.
 */
#include "guest.h"

void test_main(void)
{
    struct sched_watchdog watchdog = {.id = 0, .timeout = 1};
    expect_result("start the watchdog", HYPERVISOR_sched_op(SCHEDOP_watchdog, &watchdog, 0), 1);
    print("Test result: SUCCESS\n");
    uint64_t start = system_time();
    while (system_time() - start < 10 * SECONDS)
        barrier();
    failure("ten seconds went by");
}
