/*
 * test: attack-shutdown-reasons
 * Bad arguments of SCHEDOP_shutdown and of its older form, and then a reason that does not exist.
 * The guest is gone then, whatever the reason; nobody else is.
 */
#include "guest.h"

void test_main(void)
{
    refusals_begin();
    refusal(HYPERVISOR_sched_op(SCHEDOP_shutdown, (void *)HYPERVISOR_ADDRESS, 0), 1);
    refusal(HYPERVISOR_sched_op(SCHEDOP_shutdown, (void *)UNMAPPED_ADDRESS, 0), 2);
    refusal(HYPERVISOR_sched_op(SCHEDOP_shutdown, (void *)~0ul, 0), 3);
    for (int command = 8; command < 64; command++)
        refusal(HYPERVISOR_sched_op(command, (void *)HYPERVISOR_ADDRESS, 0), (uint64_t)command);
    refusal(HYPERVISOR_sched_op(-1, 0, 0), 64);
    refusal(HYPERVISOR_sched_op(0x7fffffff, 0, 0), 65);
    refusals_end("operations and places that do not exist");
}
