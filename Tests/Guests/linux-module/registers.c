/*
 * The processor itself: memory of the hypervisor, machine and control registers, instructions of ring 0,
 * breakpoints.
 */
#include "attacks.h"

static void hypervisor_memory(struct outcome *outcome)
{
    /* Slot 256 is the table from frames to numbers, which is everybody's to read. */
    for (u64 address = HYPERVISOR_VIRT_START; address < HYPERVISOR_VIRT_END;
         address += 0x3ff7fff000) {
        fault(outcome, address, write_faults(address, 0));
        if (address >= MACH2PHYS_VIRT_END)
            fault(outcome, address, read_faults(address));
    }
    for (unsigned int i = 0; i < 4; i++) {
        fault(outcome, bad_addresses[i], read_faults(bad_addresses[i]));
        fault(outcome, bad_addresses[i], write_faults(bad_addresses[i], 0));
    }
}

static void mapping_hypervisor(struct outcome *outcome)
{
    for (unsigned int slot = 256; slot < 272; slot++)
        for (unsigned int i = 0; i < 3; i++) {
            u64 address = 0xffff000000000000ul | (u64)slot << 39 | (u64)i * 0x2d040200000;
            refusal(outcome, address,
                    HYPERCALL(__HYPERVISOR_update_va_mapping, address, *leaf, UVMF_INVLPG, 0, 0));
            refusal(outcome, address,
                    HYPERCALL(__HYPERVISOR_update_va_mapping, address, 0, UVMF_TLB_FLUSH, 0, 0));
        }
    for (unsigned int i = 0; i < BAD_ADDRESSES - 1; i++)
        refusal(outcome, i,
                HYPERCALL(__HYPERVISOR_update_va_mapping, bad_addresses[i], *leaf, 0, 0, 0));
}

static bool machine_read(u32 number, u64 *value)
{
    u32 low = 0, high = 0, faulted = 1;
    asm volatile("1: rdmsr\n\txorl %[faulted], %[faulted]\n2:\n" _ASM_EXTABLE(1b, 2b)
                 : "+a"(low), "+d"(high), [faulted] "+r"(faulted)
                 : "c"(number));
    *value = (u64)high << 32 | low;
    return !faulted;
}

static bool machine_write_faults(u32 number, u64 value)
{
    return FAULTS("wrmsr", "c"(number), "a"((u32)value), "d"((u32)(value >> 32)));
}

static void machine_registers(struct outcome *outcome)
{
    static const struct {
        u32 first, last;
    } ranges[] = {{0x8b, 0x300}, {0x3f0, 0x600}, {0xc0000080, 0xc00000ff}, {0xc0000104, 0xc0000200},
                  {0xc0010000, 0xc0010100}};
    static const u64 values[] = {~0ul, 0, HYPERVISOR_IMAGE};
    for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++)
        for (u32 number = ranges[i].first; number <= ranges[i].last; number++) {
            u64 before, after;
            bool readable = machine_read(number, &before);
            for (unsigned int j = 0; j < ARRAY_SIZE(values); j++) {
                if (machine_write_faults(number, values[j]))
                    fault(outcome, number, true);
                else
                    vain(outcome, number,
                         !readable || (machine_read(number, &after) && after == before));
            }
        }
}

static void segment_bases(struct outcome *outcome)
{
    static const u64 bases[] = {NOT_CANONICAL, NOT_CANONICAL_FAR, 1ul << 63};
    for (unsigned int i = 0; i < ARRAY_SIZE(bases); i++)
        for (u32 number = 0xc0000100; number <= 0xc0000102; number++)
            fault(outcome, bases[i], machine_write_faults(number, bases[i]));
    for (unsigned int i = 0; i < ARRAY_SIZE(bases); i++)
        for (unsigned int which = 0; which < 3; which++)
            refusal(outcome, bases[i],
                    HYPERCALL(__HYPERVISOR_set_segment_base, which, bases[i], 0, 0, 0));
}

#define CONTROL(number)                                                                            \
    static u64 control_##number(void)                                                              \
    {                                                                                              \
        u64 value;                                                                                 \
        asm volatile("movq %%cr" #number ", %0" : "=r"(value));                                    \
        return value;                                                                              \
    }                                                                                              \
    static bool control_##number##_faults(u64 value)                                               \
    {                                                                                              \
        return FAULTS("movq %[value], %%cr" #number, [value] "r"(value));                          \
    }
CONTROL(0)
CONTROL(3)
CONTROL(4)

/* What a guest has of its own: the time-stamp counter, debug extensions, segment bases, wide state. */
#define OWN_CONTROLS (X86_CR4_TSD | X86_CR4_DE | X86_CR4_FSGSBASE | X86_CR4_OSXSAVE)

static void control_registers(struct outcome *outcome)
{
    u64 zero = control_0(), third = control_3(), fourth = control_4();
    for (unsigned int bit = 0; bit < 64; bit++) {
        /* Task switched is the guest's own. */
        if (bit != 3 && control_0_faults(zero ^ 1ul << bit))
            fault(outcome, bit, true);
        else
            vain(outcome, bit, control_0() == zero);
        if (control_4_faults(fourth ^ 1ul << bit))
            fault(outcome, bit, true);
        else
            vain(outcome, bit, ((control_4() ^ fourth) & ~OWN_CONTROLS) == 0);
        control_4_faults(fourth);
    }
    /* Write protection is on, whatever is to be read. */
    fault(outcome, 64, write_faults((u64)leaf, entry_make(frame_of(leaf), READ_WRITE)));
    fault(outcome, 65, read_faults(HYPERVISOR_IMAGE));
    {
        u64 frames[] = {frame_of(leaf), frame_of(area), entry_frame(top_table()[256]),
                        frame_of_other(0x100), 0xfffffffff, 0};
        for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++)
            fault(outcome, i, control_3_faults(frames[i] << PAGE_SHIFT));
        vain(outcome, 3, control_3() == third);
    }
    fault(outcome, 8, FAULTS("movq %[value], %%cr8", [value] "r"(0ul)));
}

static void privileged(struct outcome *outcome)
{
    static u8 memory[64] __aligned(64);
#define PRIVILEGED(text, ...)                                                                      \
    fault(outcome, __LINE__, FAULTS(text, [memory] "r"(memory), ##__VA_ARGS__))
    PRIVILEGED("lgdt (%[memory])");
    PRIVILEGED("lidt (%[memory])");
    PRIVILEGED("lldt %w[selector]", [selector] "r"(0xe010));
    PRIVILEGED("ltr %w[selector]", [selector] "r"(0xe040));
    PRIVILEGED("lmsw %w[selector]", [selector] "r"(0));
    PRIVILEGED("invd");
    PRIVILEGED("swapgs");
    PRIVILEGED("sysretq", "c"(HYPERVISOR_IMAGE));
    PRIVILEGED("sysexitq", "c"(0ul), "d"(0ul));
    PRIVILEGED("rsm");
    PRIVILEGED("vmlaunch");
    PRIVILEGED("vmrun", "a"(0ul));
    PRIVILEGED("clgi");
    PRIVILEGED("stgi");
    PRIVILEGED("invlpg (%[memory])\n\tud2");
    PRIVILEGED("hlt\n\tud2");
#undef PRIVILEGED
}

static void breakpoints(struct outcome *outcome)
{
    static const u64 places[] = {HYPERVISOR_IMAGE, HYPERVISOR_HEAP, HYPERVISOR_VIRT_START,
                                 HYPERVISOR_VIRT_END - 1, NOT_CANONICAL, NOT_CANONICAL_FAR};
    for (unsigned int number = 0; number < 4; number++)
        for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
            refusal(outcome, number << 8 | i,
                    HYPERCALL(__HYPERVISOR_set_debugreg, number, places[i], 0, 0, 0));
    for (unsigned int number = 8; number < 32; number++)
        refusal(outcome, number, HYPERCALL(__HYPERVISOR_set_debugreg, number, 0, 0, 0, 0));
    refusal(outcome, 32, HYPERCALL(__HYPERVISOR_set_debugreg, -1l, 0, 0, 0, 0));
    refusal(outcome, 33, HYPERCALL(__HYPERVISOR_set_debugreg, 7, 1ul << 32, 0, 0, 0));
    refusal(outcome, 34, HYPERCALL(__HYPERVISOR_set_debugreg, 7, ~0ul, 0, 0, 0));
}

/* General detect and breakpoints on ports, which would stop the hypervisor where it works for others. */
static void breakpoint_moves(struct outcome *outcome)
{
    unsigned long flags;
    local_irq_save(flags);
    for (u64 bit = 0; bit < 32; bit++) {
        u64 found = 0;
        FAULTS("movq %[value], %%dr7", [value] "r"(1ul << bit));
        FAULTS("movq %[value], %%dr0", [value] "r"(HYPERVISOR_IMAGE + bit));
        asm volatile("1: movq %%dr0, %0\n2:\n" _ASM_EXTABLE(1b, 2b) : "+r"(found));
        vain(outcome, bit, found < HYPERVISOR_VIRT_START || found >= HYPERVISOR_VIRT_END);
        vain(outcome, bit, HYPERCALL(__HYPERVISOR_xen_version, 0, 0, 0, 0, 0) > 0);
    }
    HYPERCALL(__HYPERVISOR_set_debugreg, 7, 0, 0, 0, 0);
    HYPERCALL(__HYPERVISOR_set_debugreg, 0, 0, 0, 0, 0);
    local_irq_restore(flags);
}

const struct attack register_attacks[] = {
    {"hypervisor-memory", hypervisor_memory},
    {"hypervisor-mapping", mapping_hypervisor},
    {"machine-registers", machine_registers},
    {"segment-bases", segment_bases},
    {"control-registers", control_registers},
    {"privileged-instructions", privileged},
    {"breakpoints", breakpoints},
    {"breakpoint-moves", breakpoint_moves},
    {},
};
