/*
 * test: time-monotonic
 * System time computed from the vcpu's parameters never goes back, goes on while the vcpu sleeps,
 * and agrees with the length of sleeps. The version of the parameters is even whenever the guest
 * looks at rest, and the wall clock lies in this century.
 */
#include "guest.h"

void test_main(void)
{
    uint64_t last = system_time(), backwards = 0;
    uint64_t end = last + 1500 * MILLISECONDS, reads = 0;
    while (last < end) {
        uint64_t now = system_time();
        if (now < last)
            backwards++;
        last = now;
        reads++;
    }
    expect_true("many readings", reads > 1000);
    expect_value("steps backwards", backwards, 0);
    expect_value("version is odd", this_vcpu()->time.version & 1, 0);
    expect_true("a factor is there", this_vcpu()->time.tsc_to_system_mul != 0);

    struct sched_poll poll = {.timeout = system_time() + 50 * MILLISECONDS};
    uint64_t before = system_time();
    HYPERVISOR_sched_op(SCHEDOP_poll, &poll, 0);
    uint64_t slept = system_time() - before;
    expect_true("time goes on in sleep", slept >= 49 * MILLISECONDS && slept < SECONDS);

    expect_value("wall clock's version is odd", shared_info->wc_version & 1, 0);
    uint64_t seconds = (uint64_t)WALL_CLOCK_HIGH(shared_info) << 32 | shared_info->wc_sec;
    expect_true("wall clock is after 2000", seconds > 946684800);
    expect_true("and before 2100", seconds < 4102444800);
    expect_true("nanoseconds are below a second", shared_info->wc_nsec < 1000000000);
}
