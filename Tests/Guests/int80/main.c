/*
 * test: int80
 * A gate registered for vector 0x80 with privilege 3 takes int 0x80 from user mode without a fault
 * first, and with the flag for it masks events on the way. The kernel may use the gate too.
 */
#include "guest.h"

USER_CODE(user_int80, "movl $7, %eax; int $0x80; ud2");

static void gate(uint8_t flags)
{
    struct trap_info rows[2] = {{.vector = 0x80,
                                 .flags = flags,
                                 .cs = FLAT_KERNEL_CS,
                                 .address = (unsigned long)trap_entry_gate}};
    expect_result("register the gate", HYPERVISOR_set_trap_table(rows), 0);
}

static bool kernel_gate(struct trap_frame *frame)
{
    return frame->vector == ENTRY_GATE;
}

void test_main(void)
{
    gate(3);
    struct trap_frame frame = user_frame(user_int80);
    user_run(&frame);
    expect_fault("int 0x80 from user mode", FAULT(frame.vector, frame.error_code),
                 FAULT(ENTRY_GATE, 0));
    expect_value("rax arrives", frame.rax, 7);
    expect_value("rip is behind the instruction", frame.rip - user_address(user_int80), 7);
    expect_true("events stay enabled", FRAME_MASK(frame) == this_vcpu()->evtchn_upcall_mask);

    set_trap_hook(kernel_gate);
    uint64_t before = entries_seen(ENTRY_GATE);
    expect_fault("from the kernel, privilege 3", TRY("int $0x80", : : : "memory"), NO_FAULT);
    expect_value("the gate was taken", entries_seen(ENTRY_GATE) - before, 1);
    gate(3 | XEN_TRAP_MASK_EVENTS);
    events_enable();
    frame = user_frame(user_int80);
    user_run(&frame);
    expect_fault("a gate that masks events", FAULT(frame.vector, frame.error_code),
                 FAULT(ENTRY_GATE, 0));
    expect_value("saved mask", FRAME_MASK(frame), 0);
    expect_true("interrupt flag was set", frame.rflags & 0x200);
    events_disable();
}
