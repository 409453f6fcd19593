/*
 * test: attack-hypercall-numbers
 * Hypercall numbers of all 64 bits, around the table's end, negative, and with junk in the upper
 * half, with pointers of the hypervisor as arguments. A careless hypervisor indexes its table with
 * a number that it has cut to 32 or 8 bits, or compares as signed.
 */
#include "guest.h"

void test_main(void)
{
    unsigned int other = 0, tried = 0;
    /* 56 to 63 is for the architecture; what has no call answers -ENOSYS everywhere. */
    for (uint64_t number = 64; number < 4096; number++, tried++)
        other += hypercall((unsigned int)number, HYPERVISOR_ADDRESS, 1, 2, 3, 4) != -XEN_ENOSYS;
    for (unsigned int bit = 12; bit < 8 * sizeof(long); bit++)
        for (uint64_t low = 0; low < 64; low++, tried++) {
            uint64_t number = 1ull << bit | low;
            long result;
#ifdef __x86_64__
            register unsigned long r10 __asm__("r10") = 3;
            register unsigned long r8 __asm__("r8") = 4;
            /* Numbers that are a call's in the lower half are the interesting ones. */
            if (bit >= 32 && (low == __HYPERVISOR_iret || low == __HYPERVISOR_sched_op ||
                              low == __HYPERVISOR_sched_op_compat))
                continue;
            __asm__ volatile("syscall"
                             : "=a"(result), "+r"(r10), "+r"(r8)
                             : "0"(number), "D"(HYPERVISOR_ADDRESS), "S"(0xfffffffful),
                               "d"(HYPERVISOR_ADDRESS)
                             : "rcx", "r11", "memory");
#else
            __asm__ volatile("int $0x82"
                             : "=a"(result)
                             : "0"((uint32_t)number), "b"(HYPERVISOR_ADDRESS), "c"(0xfffffffful),
                               "d"(HYPERVISOR_ADDRESS), "S"(3), "D"(4)
                             : "memory");
#endif
            other += result != -XEN_ENOSYS;
        }
    expect_value("that answered something else", other, 0);
    expect_true("thousands tried", tried > 5000);
}
