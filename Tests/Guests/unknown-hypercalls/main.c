/*
 * test: unknown-hypercalls
 * Numbers without a hypercall behind them answer -ENOSYS, whatever their width: a table that is
 * indexed before the number is checked would jump into the unknown.
 */
#include "guest.h"

static long call(unsigned long number)
{
    long result;
#ifdef __x86_64__
    __asm__ volatile("syscall" : "=a"(result) : "0"(number) : "memory", "rcx", "r11");
#else
    __asm__ volatile("int $0x82" : "=a"(result) : "0"(number) : "memory");
#endif
    return result;
}

void test_main(void)
{
    static const unsigned long numbers[] = {
        11, 43, 47, 50, 55, 56, 63, 64, 127, 128, 255, 256, 4095, 0x7ffffffful,
    };
    for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        print("hypercall %lu ", (uint64_t)numbers[i]);
        expect_result("answers", call(numbers[i]), -XEN_ENOSYS);
    }
    expect_result("all ones", call(~0ul), -XEN_ENOSYS);
    expect_result("bit 31", call(0x80000000ul), -XEN_ENOSYS);
    expect_result("tmem_op", call(__HYPERVISOR_tmem_op), -XEN_ENOSYS);
}
