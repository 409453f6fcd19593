/*
 * test: attack-failsafe-stack
 * verdict: crash
 * A selector is lost while the stack pointer lies in the hypervisor. A careless hypervisor writes
 * the frame of the failsafe callback there. The guest must die.
 */
#include "guest.h"

#define DATA_RING3 0x00cff3000000ffffull

static uint64_t *table;
static volatile bool ready, done;

/* Vcpu 1: takes vcpu 0 down, takes the descriptor away and brings vcpu 0 up again. */
static void take_away(void)
{
    struct vcpu_runstate_info info;
    while (!ready)
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
    HYPERVISOR_vcpu_op(VCPUOP_down, 0, 0);
    do {
        info.state = -1;
        HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &info);
    } while (info.state != RUNSTATE_offline);
    HYPERVISOR_update_descriptor(machine_address(&table[2]), 0);
    done = true;
    HYPERVISOR_vcpu_op(VCPUOP_up, 0, 0);
    while (!second_shall_stop())
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
}

static void make_table(void)
{
    table = page_alloc();
    table[2] = DATA_RING3;
    page_read_only(table);
    xen_pfn_t frame = mfn_of(table);
    if (HYPERVISOR_set_gdt(&frame, 512))
        panic("the GDT is refused");
}

void test_main(void)
{
    make_table();
    __asm__ volatile("movw %w0, %%ds" : : "r"(2 << 3 | 3));
    if (!second_start(take_away))
        return;
    print("Test result: SUCCESS\n");
    __asm__ volatile("mov %0, %%" SP "; movb $1, %1\n1: pause; cmpb $0, %2; je 1b; ud2"
                     :
                     : "r"(HYPERVISOR_IMAGE + 0x100000), "m"(ready), "m"(done)
                     : "memory");
    failure("the frame was written there");
    report_and_end();
}
