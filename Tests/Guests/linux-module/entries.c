/*
 * Ways out of the guest's ring: ports, interrupts by number, entries, and flags by the hypervisor's own
 * return.
 */
#include "attacks.h"

#include <xen/interface/callback.h>
#include <xen/interface/physdev.h>

static const struct {
    u16 port;
    u32 value;
} ports[] = {
    {0x604, 0x2000}, {0x64, 0xfe}, {0xcf9, 6}, {0x92, 1}, {0x20, 0x20}, {0x21, 0xff},
    {0x43, 0x34}, {0xcf8, 0x80000000}, {0xcfc, 0}, {0x3f8, 'X'}, {0x80, 1}, {0x501, 1}, {0xf4, 1},
    {0x402, 'X'}, {0x70, 0x8f}, {0xb2, 1}, {0xc000, 0}, {0xffff, 0},
};

/* Input of bytes to an address. */
static bool string_faults(u64 address, u64 count)
{
    int faulted = 1;
    asm volatile("1: rep insb\n\txorl %[faulted], %[faulted]\n2:\n" _ASM_EXTABLE(1b, 2b)
                 : "+D"(address), "+c"(count), [faulted] "+r"(faulted)
                 : "d"(0x80)
                 : "memory");
    return faulted;
}

/* All bits set is what a read of no device gives. */
static bool port_is_empty(struct outcome *outcome, u16 port)
{
    u32 byte = 0x55, all = 0x55, faulted = 1;
    asm volatile("1: inb %%dx, %%al\n\txorl %[faulted], %[faulted]\n2:\n" _ASM_EXTABLE(1b, 2b)
                 : "+a"(byte), [faulted] "+r"(faulted)
                 : "d"(port));
    if (faulted) {
        fault(outcome, port, true);
        return true;
    }
    asm volatile("1: inl %%dx, %%eax\n2:\n" _ASM_EXTABLE(1b, 2b) : "+a"(all) : "d"(port));
    return (byte & 0xff) == 0xff && all == ~0u;
}

/*
 * Power off, reset, mask the machine's interrupts, stop its clock, write on its serial line: an access
 * faults, or is none. After those that end the machine the guests would not be there to tell.
 */
static void try_ports(struct outcome *outcome)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(ports); i++) {
        u32 value = ports[i].value;
        u16 port = ports[i].port;
        FAULTS("outb %%al, %%dx", "a"(value), "d"(port));
        FAULTS("outw %%ax, %%dx", "a"(value), "d"(port));
        FAULTS("outl %%eax, %%dx", "a"(value), "d"(port));
        vain(outcome, port, port_is_empty(outcome, port));
    }
    /* Data from nowhere to places that are not the guest's. */
    for (unsigned int i = 0; i < BAD_ADDRESSES; i++) {
        fault(outcome, bad_addresses[i], string_faults(bad_addresses[i], 1));
        fault(outcome, bad_addresses[i], string_faults(bad_addresses[i], 4096));
    }
    fault(outcome, 0, string_faults((u64)leaf, 1));
    fault(outcome, 0, string_faults((u64)&top_table()[257], 8));
}

/* The level that the guest asks for is one for its own instructions, not one for the machine's ports. */
static void ports_with_privilege(struct outcome *outcome)
{
    struct physdev_set_iopl level = {.iopl = 3};
    unsigned long flags;
    local_irq_save(flags);
    HYPERCALL(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, &level, 0, 0, 0);
    try_ports(outcome);
    level.iopl = 1;
    HYPERCALL(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, &level, 0, 0, 0);
    level.iopl = 4;
    refusal(outcome, 4, HYPERCALL(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iopl, &level, 0, 0, 0));
    local_irq_restore(flags);
}

/* `int` with every number behind the exceptions', each 8 bytes of code. */
asm(".pushsection .text\n"
    ".balign 8\n"
    "attack_interrupts:\n"
    ".set number, 0\n"
    ".rept 256\n"
    ".balign 8\n"
    "1: .byte 0xcd, number\n"
    "xorl %eax, %eax\n"
    "2: ret\n" _ASM_EXTABLE(1b, 2b)
    ".set number, number + 1\n"
    ".endr\n"
    ".popsection\n");
extern const char attack_interrupts[];

/* What the kernel lets everybody name: a breakpoint, an overflow, the entry for old programs. */
static bool is_open(u8 number) { return number == 3 || number == 4 || number == 0x80; }

static void interrupts(struct outcome *outcome)
{
    for (unsigned int number = 0x20; number < 0x100; number++) {
        int faulted = 1;
        /* QEMU 7.2 has twice the number in the error code, and so names another gate. */
        if (is_open(number) || is_open(number * 2))
            continue;
        asm volatile("call *%[place]" : "+a"(faulted) : [place] "r"(attack_interrupts + number * 8)
                     : "memory");
        fault(outcome, number, faulted);
    }
}

/* Entries at addresses that are not canonical, which a processor would take for the hypervisor's fault. */
static void entries(struct outcome *outcome)
{
    static const u64 places[] = {NOT_CANONICAL, NOT_CANONICAL_FAR, 1ul << 63,
                                 HYPERVISOR_VIRT_START - 1};
    for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
        struct trap_info table[2] = {{.vector = 0xf1, .cs = FLAT_KERNEL_CS, .address = places[i]}};
        refusal(outcome, places[i], HYPERCALL(__HYPERVISOR_set_trap_table, table, 0, 0, 0, 0));
        for (unsigned int type = 0; type < 16; type++) {
            struct callback_register callback = {
                .type = type, .flags = (u16)(type * 0x1111), .address = places[i]};
            refusal(outcome, places[i],
                    HYPERCALL(__HYPERVISOR_callback_op, CALLBACKOP_register, &callback, 0, 0, 0));
        }
    }
}

/* The flags that code has after it came here by the hypervisor's return with those of its choice. */
static u64 flags_by_return(u64 flags)
{
    u64 found;
    asm volatile("movq %%rsp, %%rbx\n"
                 "movq %%ss, %%rax\n"
                 "pushq %%rax\n"
                 "pushq %%rbx\n"
                 "pushq %[flags]\n"
                 "movq %%cs, %%rax\n"
                 "andq $~3, %%rax\n" /* The kernel's: with ring 3 it would be user mode's. */
                 "pushq %%rax\n"
                 "leaq 1f(%%rip), %%rax\n"
                 "pushq %%rax\n"
                 "pushq $0\n"
                 "pushq %%rcx\n"
                 "pushq %%r11\n"
                 "pushq %%rax\n"
                 "movl $23, %%eax\n"
                 "syscall\n"
                 "ud2\n"
                 "1: pushfq\n"
                 "popq %[found]\n"
                 "pushq $0x202\n"
                 "popfq\n"
                 : [found] "=&r"(found)
                 : [flags] "r"(flags)
                 : "rax", "rbx", "rcx", "r11", "memory", "cc");
    return found;
}

static void return_flags(struct outcome *outcome)
{
    unsigned long flags;
    local_irq_save(flags);
    for (unsigned int bit = 0; bit <= 22; bit++) {
        u64 found;
        /* Single steps would be the kernel's. */
        if (bit == 8)
            continue;
        found = flags_by_return(0x202 ^ 1ul << bit);
        vain(outcome, bit, (found & 0x3000) == 0 && (found & 0x20000) == 0 && (found & 0x200) != 0);
        found = flags_by_return(0x3202 | 1ul << bit);
        vain(outcome, bit, (found & 0x3000) == 0 && (found & 0x20000) == 0 && (found & 0x200) != 0);
        local_irq_disable();
    }
    local_irq_restore(flags);
}

/* Interrupts of the machine stay on, whatever the guest does. */
static void interrupts_off(struct outcome *outcome)
{
    u64 found;
    FAULTS("cli");
    asm volatile("pushfq; popq %0" : "=r"(found));
    vain(outcome, 1, found & 0x200);
    asm volatile("pushq $0x3002; popfq; pushfq; popq %0" : "=r"(found));
    vain(outcome, 2, (found & 0x3200) == 0x200);
    FAULTS("sti");
}

const struct attack entry_attacks[] = {
    {"ports", try_ports},
    {"ports-with-privilege", ports_with_privilege},
    {"interrupts-by-number", interrupts},
    {"interrupts-off", interrupts_off},
    {"entries", entries},
    {"return-flags", return_flags},
    {},
};
