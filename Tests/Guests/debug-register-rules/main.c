/*
 * test: debug-register-rules
 * Reserved bits of DR6 and DR7 are corrected, registers 4 and 5 stand for 6 and 7 without CR4.DE,
 * breakpoints on ports need CR4.DE, and emulated instructions take part in single steps.
 */
#include "guest.h"

static unsigned int traps;

static bool debug(struct trap_frame *frame)
{
    if (frame->vector != VECTOR_DB)
        return false;
    traps++;
    return true;
}

static uint64_t get(unsigned int number)
{
    return (uint64_t)HYPERVISOR_get_debugreg((int)number);
}

static void set(unsigned int number, uint64_t value, long result, uint64_t reads)
{
    print("dr%u ", number);
    long found = HYPERVISOR_set_debugreg((int)number, value);
    print("= %lx, ", value);
    expect_result("result", found, result);
    expect_value("  reads", get(number), reads);
}

#define STEP(text)                                                                                 \
    ({                                                                                             \
        uint32_t a = 0, b, c = 0, d;                                                               \
        traps = 0;                                                                                 \
        __asm__ volatile("pushf; orl $0x100, (%%" SP "); popf; " text                               \
                         "; nop; pushf; andl $~0x100, (%%" SP "); popf"                             \
                         : "+a"(a), "=b"(b), "+c"(c), "=d"(d) : : "memory", "cc", "r11");          \
        traps;                                                                                     \
    })

void test_main(void)
{
    expect_value("dr6 at the start", get(6), 0xffff0ff0);
    expect_value("dr7 at the start", get(7), 0x400);
    set(7, 0, 0, 0x400);
    set(7, 0x3ff, 0, 0x7ff);
    set(7, 0x0800, 0, 0x400);
    set(7, 0xd000, 0, 0x400);
    set(7, 0x2000, -XEN_EPERM, 0x400);
    set(7, 0x20000, 0, 0x20400);
    set(7, 0x20001, -XEN_EPERM, 0x20400);
    set(7, 0x20004, -XEN_EPERM, 0x20400);
    set(7, 0x80001, 0, 0x80401);
    set(7, 0x100000000, -XEN_EINVAL, 0x80401);
    set(7, 0xffffffff, -XEN_EPERM, 0x80401);
    set(7, 0, 0, 0x400);
    set(6, 0xf, 0, 0xffff0fff);
    set(6, 0xffffffff, 0, 0xffffefff);
    set(6, 0x10000, 0, 0xffff0ff0);
    set(6, 0x100000000, -XEN_EINVAL, 0xffff0ff0);
    set(4, 0x3, 0, 0xffff0ff3);
    set(5, 0x3, 0, 0x403);
    expect_value("dr6", get(6), 0xffff0ff3);
    expect_value("dr7", get(7), 0x403);
    set(7, 0, 0, 0x400);
    set(3, 0xffff880000000000, 0, 0xffff880000000000);
    set(3, 0xffff87fffffffff9, -XEN_EPERM, 0xffff880000000000);
    set(3, 0x00007fffffffffff, 0, 0x00007fffffffffff);

    uint64_t value = 0, cr4 = 0;
    expect_fault("mov from dr4", TRY(".byte 0x0f, 0x21, 0xe0", : "+a"(value)), NO_FAULT);
    expect_value("its value", value, 0xffff0ff3);
    expect_fault("mov to dr7 with general detect", TRY("mov %0, %%dr7", : : "r"(0x2000ul)),
                 FAULT(VECTOR_GP, 0));
    expect_fault("mov to dr6, upper half", TRY("mov %0, %%dr6", : : "r"(1ul << 32)),
                 FAULT(VECTOR_GP, 0));
    expect_fault("mov from dr8", TRY(".byte 0x44, 0x0f, 0x21, 0xc0", : "+a"(value)),
                 FAULT(VECTOR_UD, 0));
    TRY("mov %%cr4, %0", : "+r"(cr4));
    expect_fault("set CR4.DE", TRY("mov %0, %%cr4", : : "r"(cr4 | 8)), NO_FAULT);
    expect_fault("mov from dr4", TRY(".byte 0x0f, 0x21, 0xe0", : "+a"(value)), FAULT(VECTOR_UD, 0));
    expect_fault("mov to dr5", TRY(".byte 0x0f, 0x23, 0xe8", : : "a"(0)), FAULT(VECTOR_UD, 0));
    expect_result("set dr4", HYPERVISOR_set_debugreg(4, 0), -XEN_ENODEV);
    expect_result("get dr5", HYPERVISOR_get_debugreg(5), -XEN_ENODEV);

    set_trap_hook(debug);
    struct physdev_set_iopl iopl = {.iopl = 1};
    HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl);
    set(6, 0, 0, 0xffff0ff0);
    set(1, 0x80, 0, 0x80);
    set(7, 0x200004, 0, 0x200404);
    traps = 0;
    expect_fault("in from the port", TRY("inb $0x80, %%al", : : : "rax"), NO_FAULT);
    expect_value("traps", traps, 1);
    expect_value("dr6", get(6), 0xffff0ff2);
    expect_fault("in from the next port", TRY("inb $0x81, %%al", : : : "rax"), NO_FAULT);
    expect_value("traps", traps, 1);
    expect_fault("out of four bytes below it", TRY("outl %%eax, $0x7e", : : "a"(0)), NO_FAULT);
    expect_value("traps", traps, 2);
    set(7, 0, 0, 0x400);
    set(6, 0, 0, 0xffff0ff0);

    unsigned int least = STEP("");
    expect_value("steps over nop and more", least, 4);
    expect_value("dr6", get(6), 0xffff4ff0);
    expect_value("over mov from cr0", STEP("mov %%cr0, %%" AX "") - least, 1);
    expect_value("over a forced cpuid", STEP(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid") - least, 1);
    expect_value("over clts", STEP("clts") - least, 1);
}
