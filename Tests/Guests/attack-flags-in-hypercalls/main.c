/*
 * test: attack-flags-in-hypercalls
 * Hypercalls and traps with flags that the hypervisor's own code must not run with: the direction
 * flag, with which its copies would go backwards; NT, with which its iret faults; AC, with which it
 * may reach the guest's pages where it should not; and carry bits of all kinds.
 */
#include "guest.h"

static long with_flags(unsigned long set, unsigned long number, unsigned long one,
                       unsigned long two, unsigned long three)
{
    long result;
#ifdef __x86_64__
    __asm__ volatile("pushfq; orq %4, (%%rsp); popfq; syscall; pushfq; andq $0x3f7ad6, (%%rsp); "
                     "andq $~0x44700, (%%rsp); popfq; cld"
                     : "=a"(result), "+D"(one), "+S"(two), "+d"(three)
                     : "r"(set), "0"(number)
                     : "rcx", "r11", "memory", "cc");
#else
    __asm__ volatile("pushfl; orl %4, (%%esp); popfl; int $0x82; pushfl; andl $0x3f7ad6, (%%esp); "
                     "andl $~0x44700, (%%esp); popfl; cld"
                     : "=a"(result), "+b"(one), "+c"(two), "+d"(three)
                     : "r"(set), "0"(number)
                     : "memory", "cc");
#endif
    return result;
}

void test_main(void)
{
    static const unsigned long flags[] = {0x400,   0x4000,   0x40000, 0x44c00,           0x8d5,
                                          0x10000, 0x200000, 0x3000,  0x47fd5 & ~0x100ul};
    static char line[] = "a line of text with all kinds of flags\n";
    static struct {
        uint64_t before;
        char text[16];
        uint64_t after;
    } extra;
    unsigned int wrong = 0, count;
    pte_t *reserved = hypervisor_slots(top_table(), &count);
    for (unsigned int i = 0; i < 9; i++) {
        with_flags(flags[i], __HYPERVISOR_console_io, CONSOLEIO_write, sizeof(line) - 1,
                   (unsigned long)line);
        wrong += with_flags(flags[i], __HYPERVISOR_xen_version, XENVER_extraversion,
                            (unsigned long)extra.text, 0) != 0;
        wrong += extra.before != 0 || extra.after != 0;
        struct mmu_update update = {.ptr = machine_address(reserved), .val = 0};
        wrong += with_flags(flags[i], __HYPERVISOR_mmu_update, (unsigned long)&update, 1, 0) == 0;
        wrong += with_flags(flags[i], __HYPERVISOR_memory_op, XENMEM_current_reservation,
                            HYPERVISOR_ADDRESS, 0) != -XEN_EFAULT;
        fault_t fault;
        fault = TRY("ud2", :);
        wrong += fault != FAULT(VECTOR_UD, 0);
        /* And a trap with the flags set: the frame must be whole. */
        fault = TRY("pushf; or %0, (%%" SP "); popf; nop", : : "r"(flags[i]) : "memory", "cc");
        __asm__ volatile("push $2; popf" ::: "cc", "memory");
        wrong += fault != NO_FAULT;
    }
    expect_value("wrong answers", wrong, 0);
}
