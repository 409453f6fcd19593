/* Vcpu 1: its context, its start and its end. */
#include "second.h"

#include "memory.h"
#include "report.h"
#include "system.h"
#include "traps.h"

#define SECOND 1

static uint8_t stack[4 * PAGE_SIZE] __attribute__((aligned(16)));
static void (*volatile work)(void);
static volatile bool stop;

static void second_main(void)
{
    work();
    for (;;)
        HYPERVISOR_vcpu_op(VCPUOP_down, SECOND, 0);
}

bool second_start(void (*function)(void)) { return second_start_with(function, 0); }

bool second_start_with(void (*function)(void), uint64_t flags)
{
    static struct vcpu_guest_context context;
    if (HYPERVISOR_vcpu_op(VCPUOP_is_up, SECOND, 0) < 0) {
        skip("no second vcpu");
        return false;
    }
    work = function;
    stop = false;
    context_prepare(&context, (uintptr_t)second_main, (uintptr_t)(stack + sizeof(stack)), flags);
    long result = HYPERVISOR_vcpu_op(VCPUOP_initialise, SECOND, &context);
    if (result == -XEN_ENOSYS) {
        skip("no second vcpu");
        return false;
    }
    if (result)
        panic("vcpu 1 cannot be initialised: %E", result);
    shared_info->vcpu_info[SECOND].evtchn_upcall_mask = 1;
    result = HYPERVISOR_vcpu_op(VCPUOP_up, SECOND, 0);
    if (result)
        panic("vcpu 1 cannot be started: %E", result);
    return true;
}

bool second_shall_stop(void) { return stop; }

void second_stop(void)
{
    stop = true;
    while (HYPERVISOR_vcpu_op(VCPUOP_is_up, SECOND, 0) == 1)
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
}
