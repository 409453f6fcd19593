/*
 * test: emulated-msrs
 * rdmsr and wrmsr of a PV guest go by a list: segment bases work, the extended features tell of
 * long mode and syscall, machine registers that do no harm read as something and ignore writes,
 * and MSRs of the hypervisor or unknown ones are faults.
 */
#include "guest.h"

static fault_t read_msr(uint32_t number, uint64_t *value)
{
    uint32_t low = 0, high = 0;
    fault_t fault = TRY("rdmsr", : "+a"(low), "+d"(high) : "c"(number));
    if (value)
        *value = (uint64_t)high << 32 | low;
    return fault;
}

static fault_t write_msr(uint32_t number, uint64_t value)
{
    return TRY("wrmsr", : : "a"((uint32_t)value), "d"((uint32_t)(value >> 32)), "c"(number)
               : "memory");
}

#define EFER 0xc0000080
#define LSTAR 0xc0000082
#define FS_BASE 0xc0000100
#define GS_BASE 0xc0000101
#define SHADOW_GS_BASE 0xc0000102

void test_main(void)
{
    uint64_t value = 0;
    expect_fault("read EFER", read_msr(EFER, &value), NO_FAULT);
    expect_value("LME and LMA", value & 0x500, 0x500);
    expect_value("SCE", value & 1, 1);
    expect_fault("write EFER, same value", write_msr(EFER, value), NO_FAULT);
    expect_fault("write FS_BASE", write_msr(FS_BASE, 0x12345000), NO_FAULT);
    expect_fault("read FS_BASE", read_msr(FS_BASE, &value), NO_FAULT);
    expect_value("FS_BASE", value, 0x12345000);
    expect_fault("write GS_BASE", write_msr(GS_BASE, (uint64_t)&value), NO_FAULT);
    expect_fault("read GS_BASE", read_msr(GS_BASE, &value), NO_FAULT);
    expect_true("GS_BASE", value == (uint64_t)&value);
    uint64_t through_gs = 0;
    expect_fault("read through gs", TRY("mov %%gs:0, %0", : "+r"(through_gs) : : "memory"),
                 NO_FAULT);
    expect_true("it is the variable", through_gs == value);
    expect_fault("write SHADOW_GS_BASE", write_msr(SHADOW_GS_BASE, 0x777000), NO_FAULT);
    expect_fault("read SHADOW_GS_BASE", read_msr(SHADOW_GS_BASE, &value), NO_FAULT);
    expect_value("SHADOW_GS_BASE", value, 0x777000);
#ifdef __x86_64__
    expect_fault("write a non-canonical FS_BASE", write_msr(FS_BASE, NON_CANONICAL_ADDRESS),
                 FAULT(VECTOR_GP, 0));
#endif

    expect_fault("read APIC_BASE", read_msr(0x1b, &value), NO_FAULT);
    expect_fault("read LSTAR", read_msr(LSTAR, 0), FAULT(VECTOR_GP, 0));
    expect_fault("write LSTAR", write_msr(LSTAR, 0x1000), FAULT(VECTOR_GP, 0));
    expect_fault("read an unknown MSR", read_msr(0x12345678, 0), FAULT(VECTOR_GP, 0));
    expect_fault("write an unknown MSR", write_msr(0x12345678, 0), FAULT(VECTOR_GP, 0));
    expect_fault("read the feature control", read_msr(0x3a, 0), FAULT(VECTOR_GP, 0));
    expect_fault("read the hypervisor's range", read_msr(0x40000100, 0), FAULT(VECTOR_GP, 0));
    expect_fault("write the microcode trigger", write_msr(0x79, 0), FAULT(VECTOR_GP, 0));
}
