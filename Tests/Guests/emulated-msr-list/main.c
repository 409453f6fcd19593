/*
 * test: emulated-msr-list
 * Model-specific registers of the machine: what reads, what may be written back, and what may be
 * changed. The machine check is virtual; registers of the hypervisor's own entries are faults.
 */
#include "guest.h"

static void look(uint32_t number)
{
    uint32_t low = 0, high = 0;
    fault_t read = TRY("rdmsr", : "+a"(low), "+d"(high) : "c"(number));
    print("%x: read %F", number, read);
    if (read == NO_FAULT && number != 0x10)
        print(" %x:%x", high, low);
    fault_t same = TRY("wrmsr", : : "a"(low), "d"(high), "c"(number));
    print(", write the same %F", same);
    fault_t other = TRY("wrmsr", : : "a"(low ^ 0x10), "d"(high), "c"(number));
    print(", another %F\n", other);
}

void test_main(void)
{
    static const uint32_t numbers[] = {
        0x10, 0x17, 0x2c, 0x3a, 0x48, 0x49, 0xc1, 0xce, 0xfe, 0x10a, 0x122, 0x140, 0x174, 0x175,
        0x176, 0x179, 0x17a, 0x17b, 0x186, 0x19a, 0x1b0, 0x1d9, 0x200, 0x250, 0x277, 0x2ff, 0x400,
        0x401, 0x402, 0x404, 0x407, 0x480, 0x606, 0x800, 0x830, 0xda0, 0xc0000080, 0xc0000081,
        0xc0000082, 0xc0000083, 0xc0000084,
    };
    for (unsigned int i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
        look(numbers[i]);
    uint32_t low, high;
    uint64_t before = read_tsc();
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(0x10));
    uint64_t value = (uint64_t)high << 32 | low;
    expect_true("the counter is the counter", value >= before && value <= read_tsc());
}
