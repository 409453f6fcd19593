/*
 * test: attack-iret-addresses
 * Frames with instruction and stack pointers that are not canonical or the hypervisor's, by the
 * iret and by the syscall return of the hypervisor (VGCF_in_syscall). On some processors sysret to
 * such an address faults in ring 0 with the guest's stack pointer: the oldest hole of all (XSA-7).
 */
#include "guest.h"

USER_CODE(user_nothing, "syscall; ud2");

static uint64_t places[] = {NON_CANONICAL_ADDRESS,
                            NON_CANONICAL_ADDRESS - 1,
                            NON_CANONICAL_ADDRESS + 1,
                            0xdeadbeefdeadbeef,
                            HYPERVISOR_VIRT_START - 1,
                            HYPERVISOR_VIRT_START,
                            HYPERVISOR_IMAGE,
                            HYPERVISOR_ADDRESS,
                            ~0ul,
                            0};

void test_main(void)
{
    unsigned int ended = 0;
    for (unsigned int i = 0; i < 20; i++) {
        iret_flags = i < 10 ? 0 : VGCF_in_syscall;
        struct trap_frame frame = user_frame(user_nothing);
        frame.rip = places[i % 10];
        user_run(&frame);
        ended++;
        frame = user_frame(user_nothing);
        frame.rsp = places[i % 10];
        user_run(&frame);
        ended++;
        frame = user_frame(user_nothing);
        frame.rip = frame.rsp = places[i % 10];
        frame.rflags = 0x10302;
        user_run(&frame);
        ended++;
    }
    expect_value("frames that came to an end", ended, 60);
    iret_flags = 0;
    expect_fault("a good frame after", user_try(user_nothing), FAULT(ENTRY_SYSCALL, 0));
}
