/*
 * test: failsafe-none
 * A selector is lost and no failsafe callback is registered: the kernel goes on at address 0, which
 * is a page fault of its own.
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

/* What lies in front of ds in the frame. */
#ifdef __x86_64__
#define BEFORE 2
#else
#define BEFORE 0
#endif

static volatile uint64_t faults, address;

static bool handle(struct trap_frame *frame)
{
    if (frame->vector != VECTOR_PF || frame->rip != 0)
        return false;
    faults++;
    address = this_vcpu()->arch.cr2;
    print("%F at %lx, cs %lx, mask %lu\n", FAULT(frame->vector, frame->error_code), (uint64_t)frame->rip,
          (uint64_t)(frame->cs & 0xffff), (uint64_t)FRAME_MASK(*frame));
    /* The failsafe frame lies where the stack pointer is. */
    unsigned long *words = (unsigned long *)frame->rsp;
    print("ds %lx, cs %lx", (uint64_t)words[BEFORE], (uint64_t)words[BEFORE + 5]);
    frame->rip = words[BEFORE + 4];
#ifdef __x86_64__
    print(", ss %lx\n", words[10]);
    frame->rcx = words[0];
    frame->r11 = words[1];
    frame->rsp = words[9];
#else
    /* Of ring 1 neither stack pointer nor ss are there; and ds is what the kernel cannot go on without. */
    print("\n");
    frame->rsp = (uintptr_t)&words[7];
    frame->ds = FLAT_KERNEL_DS;
#endif
    return true;
}

void test_main(void)
{
    make_table();
    set_trap_hook(handle);
    callbacks_register(0);
    __asm__ volatile("movw %w0, %%ds" : : "r"(2 << 3 | 3));
    if (!second_start(take_away))
        return;
    ready = true;
    while (!done)
        __asm__ volatile("pause");
    expect_value("page faults at address 0", faults, 1);
    expect_value("address", address, 0);
    second_stop();
}
