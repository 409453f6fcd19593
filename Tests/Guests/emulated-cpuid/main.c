/*
 * test: emulated-cpuid
 * The forced-emulation prefix makes cpuid trap: the hypervisor answers with its signature in leaf
 * 0x40000000 and features of a virtual processor elsewhere. Without the prefix the instruction may
 * run on the hardware. Garbage behind the prefix is an invalid opcode.
 */
#include "guest.h"

#define PREFIX ".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; "

static fault_t cpuid(uint32_t leaf, uint32_t registers[4])
{
    registers[0] = leaf;
    registers[2] = 0;
    return TRY(PREFIX "cpuid", : "+a"(registers[0]), "=b"(registers[1]), "+c"(registers[2]),
               "=d"(registers[3]));
}

void test_main(void)
{
    uint32_t registers[4];
    expect_fault("leaf 0x40000000", cpuid(0x40000000, registers), NO_FAULT);
    char signature[13] = {0};
    memcpy(signature, &registers[1], 12);
    expect_text("signature", signature, "XenVMMXenVMM");
    expect_true("more leaves", registers[0] >= 0x40000002);
    expect_fault("leaf 0x40000001", cpuid(0x40000001, registers), NO_FAULT);
    long version = HYPERVISOR_xen_version(XENVER_version, 0);
    expect_true("version as xen_version has it", registers[0] == (uint32_t)version);
    expect_fault("leaf 0x40000002", cpuid(0x40000002, registers), NO_FAULT);
    expect_value("hypercall pages", registers[0], 1);

    expect_fault("leaf 1", cpuid(1, registers), NO_FAULT);
    expect_true("SSE2", registers[3] >> 26 & 1);
    expect_true("hypervisor bit", registers[2] >> 31 & 1);
    expect_true("no VMX", !(registers[2] >> 5 & 1));
    expect_true("no monitor", !(registers[2] >> 3 & 1));
    expect_fault("leaf 0x80000001", cpuid(0x80000001, registers), NO_FAULT);
    expect_true("long mode", registers[3] >> 29 & 1);
    expect_true("syscall", registers[3] >> 11 & 1);
    expect_true("no execute-disable lost", registers[3] >> 20 & 1);
    expect_true("no gigabyte pages", !(registers[3] >> 26 & 1));

    expect_fault("prefix before another instruction", TRY(PREFIX "nop"), FAULT(VECTOR_UD, 0));
    expect_fault("half a prefix", TRY(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6d"), FAULT(VECTOR_UD, 0));
}
