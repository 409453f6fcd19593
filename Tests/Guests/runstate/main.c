/*
 * test: runstate
 * The four times of a runstate add up to the time since the vcpu was made. Sleeping counts as
 * blocked. A registered area is kept up to date each time the vcpu comes back.
 */
#include "guest.h"

static uint64_t sum(const struct vcpu_runstate_info *info)
{
    return info->time[0] + info->time[1] + info->time[2] + info->time[3];
}

static void sleep_for(uint64_t length)
{
    struct sched_poll poll = {.timeout = system_time() + length};
    HYPERVISOR_sched_op(SCHEDOP_poll, &poll, 0);
}

void test_main(void)
{
    static struct vcpu_runstate_info area;
    struct vcpu_register_runstate_memory_area registration = {.addr.h = &area};
    area.state = -1;
    expect_result("register an area",
                  HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &registration), 0);
    expect_value("state", (uint64_t)area.state, RUNSTATE_running);
    struct vcpu_runstate_info before, after;
    uint64_t start = system_time();
    HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &before);
    sleep_for(50 * MILLISECONDS);
    HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &after);
    uint64_t took = system_time() - start;
    uint64_t blocked = after.time[RUNSTATE_blocked] - before.time[RUNSTATE_blocked];
    expect_true("blocked while it slept", blocked >= 45 * MILLISECONDS && blocked <= took);
    uint64_t added = sum(&after) - sum(&before);
    expect_true("times add up", added <= took && added + 10 * MILLISECONDS >= took);
    expect_true("the area was updated",
                area.time[RUNSTATE_blocked] >= before.time[RUNSTATE_blocked] + 45 * MILLISECONDS);
    expect_value("its state", (uint64_t)area.state, RUNSTATE_running);
    expect_result("enable the update flag",
                  HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_runstate_update_flag), 0);
    sleep_for(5 * MILLISECONDS);
    expect_true("the flag is clear at rest", !(area.state_entry_time & XEN_RUNSTATE_UPDATE));
    registration.addr.v = 0;
    expect_result("a null area",
                  HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &registration), 0);
}
