/*
 * test: attack-msrs
 * Reads and writes every machine register in the ranges where processors have some, with values
 * that would undo the hypervisor: system call entries, EFER, the APIC's base, memory types. What is
 * written and taken may not be what the hypervisor runs on.
 */
#include "guest.h"

static fault_t write(uint32_t number, uint64_t value)
{
    return TRY("wrmsr", : : "c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static uint64_t read(uint32_t number)
{
    uint32_t low = 0, high = 0;
    TRY("rdmsr", : "+a"(low), "+d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}

USER_CODE(user_syscall, SYSTEM_CALL "; ud2");

void test_main(void)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {{0x8b, 0x300},
                  {0x3f0, 0x600},
                  {0xc0000080, 0xc00000ff},
                  {0xc0000104, 0xc0000200},
                  {0xc0010000, 0xc0010100},
                  {0xfffffff0, 0xfffffffe}};
    uint64_t efer = read(0xc0000080);
    for (unsigned int i = 0; i < 6; i++)
        for (uint32_t number = ranges[i].first; number <= ranges[i].last; number++) {
            uint64_t value = read(number);
            write(number, ~0ul);
            write(number, 0);
            write(number, HYPERVISOR_ADDRESS);
            write(number, value);
        }
    expect_value("EFER", read(0xc0000080) - efer, 0);
    /* Segment bases that are not canonical fault in the hypervisor's wrmsr, if it does one. */
    static const uint64_t bases[] = {1ull << 47, 0xdeadbeef00000000, 1ull << 63};
    for (unsigned int i = 0; i < 3; i++)
        for (uint32_t number = 0xc0000100; number <= 0xc0000102; number++)
            faulted("a base that is not canonical", write(number, bases[i]));
    expect_true("hypercalls work", HYPERVISOR_xen_version(XENVER_version, 0) > 0);
    expect_fault("system calls come to the kernel", user_try(user_syscall),
                 FAULT(ENTRY_SYSCALL, 0));
    expect_fault("ud2 comes to the kernel", TRY("ud2", :), FAULT(VECTOR_UD, 0));
}
