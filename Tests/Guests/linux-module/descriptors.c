/*
 * Descriptors: tables of frames that are none, gates and segments of ring 0 in the guest's own table and
 * in an LDT, and every way to use one. After each use the ring must be 3.
 */
#include "attacks.h"

#include <asm/desc.h>

#define CODE_RING_0 0x00af9b000000ffffull
#define SPARE GDT_ENTRY_TLS_MIN

static unsigned int ring(void)
{
    u16 cs;
    asm volatile("movw %%cs, %0" : "=r"(cs));
    return cs & 3;
}

struct far {
    u64 offset;
    u16 selector;
} __packed;

/* Every use of a selector but the last faults, or leaves the ring as it is. */
static void use(struct outcome *outcome, u16 selector)
{
    struct far into = {HYPERVISOR_IMAGE, selector};
    fault(outcome, selector, FAULTS("rex64 lcall *(%[far])", [far] "r"(&into)));
    fault(outcome, selector, FAULTS("lldt %w[selector]", [selector] "r"(selector)));
    fault(outcome, selector, FAULTS("ltr %w[selector]", [selector] "r"(selector)));
}

/* A far jump onto the next instruction, and back to the segment from before. */
static bool jump(u16 selector)
{
    struct far there = {0, selector};
    int found = -1;
    asm volatile("movq %%cs, %%rcx\n"
                 "leaq 2f(%%rip), %%rax\n"
                 "movq %%rax, (%[far])\n"
                 "1: rex64 ljmp *(%[far])\n"
                 "2: movw %%cs, %%ax\n"
                 "movzwl %%ax, %[found]\n"
                 "pushq %%rcx\n"
                 "leaq 3f(%%rip), %%rax\n"
                 "pushq %%rax\n"
                 "lretq\n"
                 "3:\n" _ASM_EXTABLE(1b, 3b)
                 : [found] "+r"(found)
                 : [far] "r"(&there)
                 : "rax", "rcx", "memory");
    return found == -1 || (found & 3) == 3;
}

static void table_frames(struct outcome *outcome)
{
    u64 *page = page_take();
    u64 frames[] = {entry_frame(top_table()[256]), frame_of(top_table()), frame_of(leaf),
                    frame_of_other(0x100), 0xfffffffff, ~0ul, 1ul << 52 | 5};
    map_page(page, READ_ONLY);
    for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++)
        for (unsigned int at = 0; at < 14; at += 13) {
            unsigned long list[16];
            for (unsigned int j = 0; j < ARRAY_SIZE(list); j++)
                list[j] = frame_of(page);
            list[at] = frames[i];
            refusal(outcome, i, HYPERCALL(__HYPERVISOR_set_gdt, list, 14 * 512, 0, 0, 0));
        }
    page_give(page);
}

static void table_sizes(struct outcome *outcome)
{
    static const u32 sizes[] = {7169, 8192, 0x10000, 0x7fffffff, 0x80000000, ~0u};
    u64 *page = page_take();
    unsigned long list[16];
    for (unsigned int j = 0; j < ARRAY_SIZE(list); j++)
        list[j] = frame_of(page);
    map_page(page, READ_ONLY);
    for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++)
        refusal(outcome, sizes[i], HYPERCALL(__HYPERVISOR_set_gdt, list, sizes[i], 0, 0, 0));
    page_give(page);
}

static long describe(u64 address, u64 descriptor)
{
    return HYPERCALL(__HYPERVISOR_update_descriptor, address, descriptor, 0, 0, 0);
}

/* System descriptors into the table in use: gates of all kinds, task segments, local tables. */
static void gates(struct outcome *outcome)
{
    u64 *entry, before;
    preempt_disable();
    entry = (u64 *)&get_cpu_gdt_rw(smp_processor_id())[SPARE];
    before = *entry;
    for (unsigned int type = 0; type < 16; type++)
        for (unsigned int level = 0; level < 4; level++) {
            u64 descriptor = 0xffff0000e0080000 | (u64)(0x80 | level << 5 | type) << 40;
            /* Of type 0 there is nothing to use. */
            if (type)
                refusal(outcome, descriptor,
                        describe(arbitrary_virt_to_machine(entry).maddr, descriptor));
            fault(outcome, descriptor, write_faults((u64)entry, descriptor));
        }
    describe(arbitrary_virt_to_machine(entry).maddr, before);
    preempt_enable();
}

/* A segment of ring 0 may be taken with its privilege lowered. */
static void code_of_ring_0(struct outcome *outcome)
{
    unsigned long flags;
    u64 *entry, before;
    local_irq_save(flags);
    entry = (u64 *)&get_cpu_gdt_rw(smp_processor_id())[SPARE];
    before = *entry;
    for (unsigned int level = 0; level < 3; level++)
        for (unsigned int conforming = 0; conforming < 2; conforming++) {
            u64 descriptor = CODE_RING_0 | (u64)level << 45 | (u64)conforming << 42;
            long answer = describe(arbitrary_virt_to_machine(entry).maddr, descriptor);
            if (answer) {
                refusal(outcome, descriptor, answer);
                continue;
            }
            for (unsigned int asked = 0; asked < 4; asked++) {
                vain(outcome, descriptor, jump(SPARE << 3 | asked));
                vain(outcome, descriptor, ring() == 3);
            }
        }
    describe(arbitrary_virt_to_machine(entry).maddr, before);
    local_irq_restore(flags);
}

static void descriptors_elsewhere(struct outcome *outcome)
{
    u64 frames[] = {entry_frame(top_table()[256]), frame_of(top_table()), frame_of(leaf),
                    frame_of_other(0x100), 0xfffffffff, 1ul << 40};
    u64 *entry = (u64 *)get_cpu_gdt_rw(raw_smp_processor_id());
    for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++) {
        refusal(outcome, i, describe(frames[i] << PAGE_SHIFT | 8, CODE_RING_0));
        refusal(outcome, i, describe(frames[i] << PAGE_SHIFT, 0));
    }
    for (unsigned int i = 1; i < 8; i++)
        refusal(outcome, i, describe(arbitrary_virt_to_machine(entry).maddr + i, CODE_RING_0));
}

static void local_tables(struct outcome *outcome)
{
    static const u64 places[] = {HYPERVISOR_IMAGE, HYPERVISOR_HEAP, HYPERVISOR_VIRT_START,
                                 NOT_CANONICAL, NOT_CANONICAL_FAR};
    u64 *page = page_take();
    for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
        refusal(outcome, i, extended(MMUEXT_SET_LDT, places[i], 16));
        refusal(outcome, i, extended(MMUEXT_SET_LDT, places[i], 8192));
    }
    refusal(outcome, 10, extended(MMUEXT_SET_LDT, (u64)page, 8193));
    refusal(outcome, 11, extended(MMUEXT_SET_LDT, (u64)page, 0xffffffff));
    refusal(outcome, 12, extended(MMUEXT_SET_LDT, (u64)page + 8, 16));
    refusal(outcome, 13, extended(MMUEXT_SET_LDT, HYPERVISOR_VIRT_START - PAGE_SIZE, 8192));
    page_give(page);
}

/* What an LDT of gates and of ring 0 is good for; then a page table as LDT, then a writable page. */
static void local_gates(struct outcome *outcome)
{
    u64 *page = page_take();
    for (unsigned int i = 0; i < 512; i++)
        page[i] = (u64)(0x80 | (i & 0x7f)) << 40 | 0xffff0000e0080000 | (u64)(i >> 7) << 52;
    map_page(page, READ_ONLY);
    for (unsigned int kind = 0; kind < 3; kind++) {
        unsigned long flags;
        if (kind == 2) {
            /* No longer an LDT, or no longer to be written. */
            if (map_page(page, READ_WRITE | _PAGE_NX))
                break;
            for (unsigned int i = 0; i < 512; i++)
                page[i] = CODE_RING_0;
        }
        local_irq_save(flags);
        extended(MMUEXT_SET_LDT, (u64)(kind == 1 ? top_table() : page), 512);
        for (unsigned int i = 0; i < 512; i += kind ? 7 : 1)
            use(outcome, i << 3 | 4 | (i & 3));
        vain(outcome, kind, jump(5 << 3 | 4));
        vain(outcome, kind, ring() == 3);
        extended(MMUEXT_SET_LDT, 0, 0);
        local_irq_restore(flags);
    }
    page_give(page);
}

/* The hypervisor's descriptors stand in the same table as the guest's. */
static void selectors(struct outcome *outcome)
{
    for (u32 selector = FIRST_RESERVED_GDT_BYTE; selector < 0x10000; selector++) {
        /* The flat segments for code are the guest's: a call would arrive. */
        if ((selector & ~3u) == (FLAT_RING3_CS32 & ~3u) ||
            (selector & ~3u) == (FLAT_RING3_CS64 & ~3u))
            continue;
        if (selector < FIRST_RESERVED_GDT_BYTE + 512 || selector % 64 < 4)
            use(outcome, selector);
    }
    vain(outcome, 0, ring() == 3);
}

const struct attack descriptor_attacks[] = {
    {"descriptors-frames", table_frames},
    {"descriptors-sizes", table_sizes},
    {"descriptors-gates", gates},
    {"descriptors-ring-0", code_of_ring_0},
    {"descriptors-elsewhere", descriptors_elsewhere},
    {"descriptors-local-tables", local_tables},
    {"descriptors-local-gates", local_gates},
    {"descriptors-selectors", selectors},
    {},
};
