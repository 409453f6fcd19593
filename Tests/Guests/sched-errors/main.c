/*
 * test: sched-errors
 * sched_op refuses unknown operations, unreadable arguments, reasons of shutdown that do not exist
 * and watchdogs that were not started, and the domain lives on.
 */
#include "guest.h"

void test_main(void)
{
    void *bad = (void *)UNMAPPED_ADDRESS;
    expect_result("unknown operation", HYPERVISOR_sched_op(8, bad, 0), -XEN_ENOSYS);
    expect_result("negative operation", HYPERVISOR_sched_op(-1, bad, 0), -XEN_ENOSYS);
    expect_result("shutdown with a bad pointer", HYPERVISOR_sched_op(SCHEDOP_shutdown, bad, 0),
                  -XEN_EFAULT);
    expect_result("poll with a bad pointer", HYPERVISOR_sched_op(SCHEDOP_poll, bad, 0), -XEN_EFAULT);
    expect_result("shutdown_code with a bad pointer",
                  HYPERVISOR_sched_op(SCHEDOP_shutdown_code, bad, 0), -XEN_EFAULT);
    expect_result("watchdog with a bad pointer", HYPERVISOR_sched_op(SCHEDOP_watchdog, bad, 0),
                  -XEN_EFAULT);
    expect_result("remote_shutdown with a bad pointer",
                  HYPERVISOR_sched_op(SCHEDOP_remote_shutdown, bad, 0), -XEN_EFAULT);
    struct sched_remote_shutdown remote = {.domain_id = 77, .reason = SHUTDOWN_poweroff};
    expect_result("remote_shutdown of a domain that does not exist",
                  HYPERVISOR_sched_op(SCHEDOP_remote_shutdown, &remote, 0), -XEN_ESRCH);

    struct sched_watchdog watchdog = {.id = 1, .timeout = 0};
    expect_result("end a watchdog that was not started",
                  HYPERVISOR_sched_op(SCHEDOP_watchdog, &watchdog, 0), -XEN_EINVAL);
    watchdog = (struct sched_watchdog){.id = 3, .timeout = 60};
    expect_result("feed watchdog 3", HYPERVISOR_sched_op(SCHEDOP_watchdog, &watchdog, 0),
                  -XEN_EINVAL);
    watchdog = (struct sched_watchdog){.id = 0, .timeout = 60};
    expect_result("start one", HYPERVISOR_sched_op(SCHEDOP_watchdog, &watchdog, 0), 1);
    expect_result("start another", HYPERVISOR_sched_op(SCHEDOP_watchdog, &watchdog, 0), 2);
    /* Xen answers this one error as a number of 32 bits. */
    expect_result("start a third", (int32_t)HYPERVISOR_sched_op(SCHEDOP_watchdog, &watchdog, 0),
                  -XEN_ENOSPC);
    watchdog = (struct sched_watchdog){.id = 1, .timeout = 60};
    expect_result("feed the first", HYPERVISOR_sched_op(SCHEDOP_watchdog, &watchdog, 0), 0);
    watchdog.timeout = 0;
    expect_result("end the first", HYPERVISOR_sched_op(SCHEDOP_watchdog, &watchdog, 0), 0);
    watchdog.id = 2;
    expect_result("end the second", HYPERVISOR_sched_op(SCHEDOP_watchdog, &watchdog, 0), 0);
    struct sched_shutdown code = {.reason = SHUTDOWN_poweroff};
    expect_result("shutdown_code", HYPERVISOR_sched_op(SCHEDOP_shutdown_code, &code, 0), 0);
}
