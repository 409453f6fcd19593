/*
 * test: attack-spinning
 * Three seconds of nothing but counting, with upcalls masked: no hypercall, no trap, no pause. The
 * others' share depends on the hypervisor's own timer alone.
 */
#include "guest.h"

void test_main(void)
{
    events_disable();
    uint64_t start = system_time(), turns = 0;
    while (system_time() - start < 3 * SECONDS)
        turns++;
    expect_true("turns were made", turns > 1000);
}
