/*
 * A small native kernel, for audits where no other kernel can be had: it does by hand what every
 * x86-64 kernel does in ring 0, so that each class of finding has an example. One concern per function.
 */
#include <stdint.h>

extern void interrupt_entry(void);
extern void system_call_entry(void);

struct gate {
    uint16_t offset_low, selector;
    uint8_t stack, type;
    uint16_t offset_middle;
    uint32_t offset_high, zero;
};

static struct gate idt[256];
static volatile uint64_t ticks;

static inline void out8(uint16_t port, uint8_t value)
{
    __asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
    uint8_t value;
    __asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
    return value;
}

static inline void write_msr(uint32_t index, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(index), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static inline uint64_t read_msr(uint32_t index)
{
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(index));
    return (uint64_t)high << 32 | low;
}

static inline uint64_t save_flags(void)
{
    uint64_t flags;
    __asm__ volatile("pushfq; popq %0; cli" : "=r"(flags) : : "memory");
    return flags;
}

static inline void restore_flags(uint64_t flags)
{
    __asm__ volatile("pushq %0; popfq" : : "r"(flags) : "memory", "cc");
}

static inline uint64_t read_timestamp(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static void print(const char *text)
{
    for (; *text; text++) {
        while (!(in8(0x3fd) & 0x20)) {
        }
        out8(0x3f8, (uint8_t)*text);
    }
}

static void set_gate(unsigned vector, void (*handler)(void))
{
    uint64_t address = (uint64_t)handler;
    idt[vector] = (struct gate){(uint16_t)address,         8, 0, 0x8e, (uint16_t)(address >> 16),
                                (uint32_t)(address >> 32), 0};
}

static void load_interrupt_table(void)
{
    struct {
        uint16_t limit;
        uint64_t base;
    } __attribute__((packed)) pointer = {sizeof(idt) - 1, (uint64_t)idt};

    for (unsigned vector = 0; vector < 256; vector++)
        set_gate(vector, interrupt_entry);
    __asm__ volatile("lidt %0" : : "m"(pointer));
}

static void enable_system_calls(void)
{
    write_msr(0xc0000080, read_msr(0xc0000080) | 1);
    write_msr(0xc0000081, (uint64_t)8 << 32);
    write_msr(0xc0000082, (uint64_t)system_call_entry);
    write_msr(0xc0000084, 0x200);
}

static void switch_page_table(uint64_t root)
{
    __asm__ volatile("movq %0, %%cr3" : : "r"(root) : "memory");
}

static uint64_t current_page_table(void)
{
    uint64_t root;
    __asm__ volatile("movq %%cr3, %0" : "=r"(root));
    return root;
}

static void forget_page(void *page)
{
    __asm__ volatile("invlpg (%0)" : : "r"(page) : "memory");
}

static int has_feature(uint32_t leaf, unsigned bit)
{
    uint32_t a = leaf, b, c = 0, d;
    __asm__ volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
    return d >> bit & 1;
}

static int in_kernel_mode(void)
{
    uint16_t selector;
    __asm__ volatile("movw %%cs, %0" : "=r"(selector));
    return (selector & 3) == 0;
}

void interrupt(void)
{
    ticks++;
    out8(0x20, 0x20);
}

void system_call(void)
{
    print("system call\n");
}

void kernel_main(void)
{
    load_interrupt_table();
    enable_system_calls();
    switch_page_table(current_page_table());
    forget_page((void *)0x1000);

    uint64_t flags = save_flags();
    print(in_kernel_mode() ? "ring 0\n" : "not ring 0\n");
    if (has_feature(1, 0))
        print("floating point\n");
    restore_flags(flags);

    __asm__ volatile("sti");
    uint64_t start = read_timestamp();
    while (read_timestamp() - start < 1000000)
        __asm__ volatile("hlt");
}
