/*
 * test: attack-port-io
 * Reads and writes I/O ports from user mode and string I/O with memory operands in the hypervisor.
 * User mode may never; the kernel's memory operand is the guest's, with the guest's rights.
 */
#include "guest.h"

USER_CODE(user_in, "movl %edi, %edx; inb %dx, %al; " SYSTEM_CALL "; ud2");
USER_CODE(user_out, "movl %edi, %edx; outl %eax, %dx; " SYSTEM_CALL "; ud2");
USER_CODE(user_insb, "movl %esi, %edx; insb; " SYSTEM_CALL "; ud2");

void test_main(void)
{
    static const uint16_t ports[] = {0x20,  0x21,  0x40,  0x60,  0x64, 0x70,  0x80, 0xa0,
                                     0xcf8, 0xcf9, 0xcfc, 0x3f8, 0xf4, 0x604, 0xb2, 0xffff};
    unsigned int through = 0;
    for (unsigned int i = 0; i < 16; i++) {
        const void *codes[] = {user_in, user_out, user_insb};
        for (unsigned int j = 0; j < 3; j++) {
            struct trap_frame frame = user_frame(codes[j]);
            frame.rdi = j == 2 ? USER_DATA : ports[i];
            frame.rsi = ports[i];
            user_run(&frame);
            through += frame.vector == ENTRY_SYSCALL;
        }
    }
    expect_value("accesses of user mode", through, 0);
    uintptr_t places[] = {HYPERVISOR_ADDRESS, HYPERVISOR_IMAGE, NON_CANONICAL_ADDRESS,
                          (uintptr_t)&top_table()[7]};
    for (unsigned int i = 0; i < 4; i++) {
        pte_t before = top_table()[7];
        faulted("input to a place of the hypervisor's", TRY("insb",
                                                            :
                                                            : "D"(places[i]), "d"(0x80)
                                                            : "memory"));
        faulted("input of many", TRY("rep insl",
                                     :
                                     : "D"(places[i]), "d"(0x80), "c"(0x1000)
                                     : "memory"));
        if (i < 3)
            faulted("output from there", TRY("outsb", : : "S"(places[i]), "d"(0x80) : "memory"));
        expect_true("the top table is as before", top_table()[7] == before);
    }
}
