/*
 * test: attack-page-fault-storm
 * Two hundred thousand page faults and as many other traps, from the kernel and user mode, without
 * a pause. Each is the guest's own time; nothing may pile up in the hypervisor.
 */
#include "guest.h"

USER_CODE(user_fault, "mov (%" DI "), %" AX "; ud2");

void test_main(void)
{
    unsigned int faults = 0;
    for (unsigned int i = 0; i < 200000; i++)
        faults += try_read((void *)(UNMAPPED_ADDRESS + i * 8ul), 0) != NO_FAULT;
    expect_value("page faults", faults, 200000);
    faults = 0;
    for (unsigned int i = 0; i < 100000; i++)
        faults += TRY("ud2", :) != NO_FAULT;
    expect_value("undefined instructions", faults, 100000);
    faults = 0;
    for (unsigned int i = 0; i < 50000; i++) {
        struct trap_frame frame = user_frame(user_fault);
        frame.rdi = HYPERVISOR_ADDRESS + i % 4096 * PAGE_SIZE;
        user_run(&frame);
        faults += frame.vector == VECTOR_PF || frame.vector == ENTRY_EVENT ||
                  (PAGING_LEVELS == 3 && frame.vector == VECTOR_GP); /* Behind the segment's limit. */
    }
    expect_value("from user mode", faults, 50000);
}
