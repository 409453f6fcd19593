/* Segments. In 64-bit mode they say little more than the ring, but there is no way around them. */
#include "segments.h"

#include <stddef.h>

#include "console.h"
#include "cpu.h"
#include "layout.h"

#define EFER_SYSTEM_CALL 1ul
#define EFER_NO_EXECUTE (1ul << 11)
/* Of cpuid leaf 0x80000001, edx. */
#define FEATURE_SYSTEM_CALL (1u << 11)
#define FEATURE_NO_EXECUTE (1u << 20)

#define CODE_RING0 0x00af9a000000ffffull
#define DATA_RING0 0x00cf92000000ffffull
#define DATA_RING3 0x00cff2000000ffffull
#define CODE_RING3 0x00affa000000ffffull
#define TASK_PRESENT 0x89ull

/* The task state segment, Intel's manual, volume 3, 8.7. */
struct task_state {
    uint32_t reserved0;
    uint64_t stacks[3]; /* on entry to ring 0, 1, 2 */
    uint64_t reserved1, interrupt_stacks[7], reserved2;
    uint16_t reserved3, port_map;
} __attribute__((packed));

static struct task_state task = {.port_map = sizeof(struct task_state)};
static struct processor processor;
static uint64_t gdt[7] = {0, CODE_RING0, DATA_RING0, DATA_RING3, CODE_RING3, 0, 0};

_Static_assert(sizeof(struct task_state) == 104, "as the manual has it");
_Static_assert(offsetof(struct processor, user_stack) == 8, "entry.S");

extern char system_call_entry[];

static void load_descriptors(void)
{
    struct table_pointer pointer = {sizeof(gdt) - 1, (uint64_t)gdt};
    uint64_t base = (uint64_t)&task;

    gdt[5] = (sizeof(task) - 1) | (base & 0xffffff) << 16 | TASK_PRESENT << 40 |
             (base >> 24 & 0xff) << 56;
    gdt[6] = base >> 32;
    load_gdt(&pointer);
    __asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
                     "movl %1, %%eax; movl %%eax, %%ss; xorl %%eax, %%eax; movl %%eax, %%ds;"
                     "movl %%eax, %%es; movl %%eax, %%fs; movl %%eax, %%gs"
                     :
                     : "i"(KERNEL_CS), "i"(KERNEL_SS)
                     : "rax", "memory");
    load_task(TASK_SELECTOR);
}

static void open_system_calls(void)
{
    uint32_t features = read_cpuid(0x80000001).edx;

    if (!(features & FEATURE_SYSTEM_CALL) || !(features & FEATURE_NO_EXECUTE))
        panic("the processor has no syscall, or no pages that cannot be executed");
    write_msr(MSR_EFER, read_msr(MSR_EFER) | EFER_SYSTEM_CALL | EFER_NO_EXECUTE);
    /* Bits 32 to 47: kernel code, stack behind it. 48 to 63: user stack - 8, user code - 16. */
    write_msr(MSR_STAR, (uint64_t)KERNEL_CS << 32 | (uint64_t)((USER_SS & ~7) - 8) << 48);
    write_msr(MSR_LSTAR, (uint64_t)system_call_entry);
    write_msr(MSR_FMASK, FLAG_INTERRUPT | FLAG_DIRECTION | FLAG_TRAP | FLAG_ALIGNMENT);
    write_msr(MSR_GS_BASE, (uint64_t)&processor);
    write_msr(MSR_KERNEL_GS_BASE, 0);
}

void segments_start(void)
{
    load_descriptors();
    open_system_calls();
}

void segments_set_process(uint64_t kernel_stack, uint64_t thread_pointer)
{
    task.stacks[0] = kernel_stack;
    processor.kernel_stack = kernel_stack;
    write_msr(MSR_FS_BASE, thread_pointer);
}
