/*
 * test: shutdown-old-call
 * verdict: reboot
 * The scheduler call of Xen 3's days takes the reason to shut down as a number, of which the lowest
 * byte counts: whoever passes an address there, as with the later call, ends for a reason by chance.
 */
#include "guest.h"

void test_main(void)
{
    print("Test result: SUCCESS\n");
    hypercall(__HYPERVISOR_sched_op_compat, SCHEDOP_shutdown, 0x7700 | SHUTDOWN_reboot, 0, 0, 0);
    failure("shutdown came back");
}
