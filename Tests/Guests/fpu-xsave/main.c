/*
 * test: fpu-xsave
 * On a processor with XSAVE and AVX the kernel sets CR4.OSXSAVE and chooses components by an emulated
 * xsetbv; values that are no set of components are faults. cpuid tells what there is, and vector
 * registers outlive hypercalls and a sleep.
 */
#include "guest.h"

#define PREFIX ".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; "
#define CR4_OSXSAVE (1ul << 18)

static uint32_t registers[4];

static void cpuid(uint32_t leaf, uint32_t subleaf)
{
    registers[0] = leaf;
    registers[2] = subleaf;
    __asm__ volatile(PREFIX "cpuid" : "+a"(registers[0]), "=b"(registers[1]), "+c"(registers[2]),
                     "=d"(registers[3]));
}

static uint32_t components(void)
{
    uint32_t low = 0, high = 0;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static void set(uint32_t number, uint64_t value, fault_t fault, uint32_t reads)
{
    print("xsetbv %u, %lx: ", number, value);
    expect_fault("result", TRY("xsetbv", : : "c"(number), "a"((uint32_t)value),
                               "d"((uint32_t)(value >> 32))), fault);
    expect_value("  reads", components(), reads);
}

void test_main(void)
{
    uint64_t cr4 = 0;
    cpuid(1, 0);
    if (!(registers[2] >> 26 & 1) || !(registers[2] >> 28 & 1)) {
        skip("the processor has no AVX");
        return;
    }
    cpuid(0xd, 0);
    expect_value("components", registers[0], 7);
    expect_value("size of those switched on", registers[1], 0x240);
    expect_value("size of all", registers[2], 0x340);
    cpuid(0xd, 2);
    expect_value("size of AVX's", registers[0], 0x100);
    expect_value("offset of AVX's", registers[1], 0x240);
    cpuid(0xd, 9);
    expect_value("size of component 9", registers[0], 0);
    cpuid(7, 0);
    expect_value("no SMEP, SMAP, INVPCID", registers[1] & (1 << 7 | 1 << 20 | 1 << 10), 0);

    expect_value("XCR0 at the start", components(), 3);
    set(0, 3, FAULT(VECTOR_UD, 0), 3);
    TRY("mov %%cr4, %0", : "+r"(cr4));
    expect_value("CR4.OSXSAVE", cr4 & CR4_OSXSAVE, 0);
    expect_fault("set it", TRY("mov %0, %%cr4", : : "r"(cr4 | CR4_OSXSAVE)), NO_FAULT);
    TRY("mov %%cr4, %0", : "+r"(cr4));
    expect_value("CR4.OSXSAVE", cr4 & CR4_OSXSAVE, CR4_OSXSAVE);
    set(0, 7, NO_FAULT, 7);
    set(0, 1, NO_FAULT, 1);
    set(0, 0, FAULT(VECTOR_GP, 0), 1);
    set(0, 2, FAULT(VECTOR_GP, 0), 1);
    set(0, 5, FAULT(VECTOR_GP, 0), 1);
    set(0, 0x200, FAULT(VECTOR_GP, 0), 1);
    set(0, 0x207, FAULT(VECTOR_GP, 0), 1);
    set(0, 0x8000000000000003, FAULT(VECTOR_GP, 0), 1);
    set(1, 3, FAULT(VECTOR_GP, 0), 1);
    set(0, 7, NO_FAULT, 7);
    cpuid(0xd, 0);
    expect_value("size of those switched on", registers[1], 0x340);

    static const uint64_t pattern[4] = {0x1111111111111111, 0x2222222222222222, 0x3333333333333333,
                                        0x4444444444444444};
    static uint64_t found[4];
    __asm__ volatile("vmovdqu (%0), %%ymm5" : : "r"(pattern) : "memory");
    for (unsigned int i = 0; i < 100; i++)
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
    __asm__ volatile("vmovdqu %%ymm5, (%0)" : : "r"(found) : "memory");
    expect_true("ymm5 outlives hypercalls", memcmp(found, pattern, sizeof(found)) == 0);
    expect_fault("user of AVX with TS set", ({ HYPERVISOR_fpu_taskswitch(1);
                 TRY("vmovdqu %%ymm5, (%0)", : : "r"(found) : "memory"); }), FAULT(VECTOR_NM, 0));
}
