/*
 * test: attack-yield-storm
 * Three hundred thousand yields and short sleeps: each one asks the scheduler to choose. Who yields
 * again and again may not get more than its share, nor take the scheduler's time from others.
 */
#include "guest.h"

void test_main(void)
{
    unsigned int done = 0;
    for (unsigned int i = 0; i < 300000; i++)
        done += HYPERVISOR_sched_op(SCHEDOP_yield, (void *)HYPERVISOR_ADDRESS, ~0ul) == 0;
    expect_value("yields", done, 300000);
    /* A block with an event waiting comes back at once. */
    done = 0;
    for (unsigned int i = 0; i < 50000; i++) {
        this_vcpu()->evtchn_upcall_pending = 1;
        done += HYPERVISOR_sched_op(SCHEDOP_block, 0, 0) == 0;
        events_disable();
    }
    expect_value("blocks", done, 50000);
}
