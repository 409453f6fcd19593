/*
 * test: shutdown-code
 * The reason that shutdown_code gives is that of the domain's end, whatever reason the end itself
 * gives, and the first one counts.
 * verdict: reboot
 */
#include "guest.h"

void test_main(void)
{
    struct sched_shutdown code = {.reason = SHUTDOWN_reboot};
    expect_result("reboot", HYPERVISOR_sched_op(SCHEDOP_shutdown_code, &code, 0), 0);
    code.reason = SHUTDOWN_poweroff;
    expect_result("power off", HYPERVISOR_sched_op(SCHEDOP_shutdown_code, &code, 0), 0);
}
