/*
 * What must end the domain, or the kernel in it, and nobody else.
 */
#include "attacks.h"

#include <linux/delay.h>
#include <linux/sched/task_stack.h>
#include <asm/segment.h>
#include <xen/interface/callback.h>

/* A trap while the stack pointer is at an address. */
static void trap_on_stack(u64 address)
{
    asm volatile("movq %0, %%rsp\n\tud2" : : "r"(address) : "memory");
}

static void stack_not_canonical(void) { trap_on_stack(NOT_CANONICAL); }
static void stack_in_hypervisor(void) { trap_on_stack(HYPERVISOR_IMAGE + 0x100000); }
static void stack_in_table(void) { trap_on_stack((u64)(top_table() + 200)); }

/* The hypervisor's return, with a frame of the caller's. */
static void return_to(u64 rip, u64 cs, u64 flags, u64 rsp, u64 ss)
{
    asm volatile("pushq %[ss]\n"
                 "pushq %[rsp]\n"
                 "pushq %[flags]\n"
                 "pushq %[cs]\n"
                 "pushq %[rip]\n"
                 "pushq $0\n"
                 "pushq $0\n"
                 "pushq $0\n"
                 "pushq $0\n"
                 "movl $23, %%eax\n"
                 "syscall\n"
                 :
                 : [ss] "r"(ss), [rsp] "r"(rsp), [flags] "r"(flags), [cs] "r"(cs), [rip] "r"(rip)
                 : "rax", "rcx", "r11", "memory");
}

/* In the hypervisor's own segments, to its own code and stack. */
static void return_to_ring_0(void)
{
    return_to(HYPERVISOR_IMAGE, 0xe008, 0x3002, HYPERVISOR_IMAGE + 0x100000, 0xe010);
}

/* A frame that is in the hypervisor. */
static void return_from_hypervisor(void)
{
    asm volatile("movq %0, %%rsp\n\tmovl $23, %%eax\n\tsyscall"
                 :
                 : "r"(HYPERVISOR_IMAGE + 0x100000)
                 : "memory");
}

/* User mode's next entry finds the kernel's stack in the hypervisor. */
static void entry_stack(void)
{
    struct pt_regs *user = task_pt_regs(current);
    local_irq_disable();
    if (HYPERCALL(__HYPERVISOR_stack_switch, __KERNEL_DS, HYPERVISOR_IMAGE + 0x100000, 0, 0, 0)) {
        /* Refused is as good. */
        stack_in_hypervisor();
    }
    return_to(user->ip, user->cs, user->flags, user->sp, user->ss);
}

/* A handler in the hypervisor is entered in ring 3, and its first instruction faults. */
static void trap_into_hypervisor(void)
{
    struct trap_info table[2] = {
        {.vector = 0xf1, .flags = 3, .cs = FLAT_KERNEL_CS, .address = HYPERVISOR_IMAGE}};
    HYPERCALL(__HYPERVISOR_set_trap_table, table, 0, 0, 0, 0);
    asm volatile("int $0xf1" : : : "memory");
}

static void events_into_hypervisor(void)
{
    struct callback_register callback = {.type = CALLBACKTYPE_event, .address = HYPERVISOR_IMAGE};
    HYPERCALL(__HYPERVISOR_callback_op, CALLBACKOP_register, &callback, 0, 0, 0);
    mdelay(2000);
}

static void call_hypervisor(void)
{
    asm volatile("call *%0" : : "r"(HYPERVISOR_IMAGE) : "memory");
}

/* The kernel's own half is gone, with the handlers of the fault that follows. */
static void without_tables(void)
{
    local_irq_disable();
    entry_write(&top_table()[511], 0);
    extended(MMUEXT_TLB_FLUSH_LOCAL, 0, 0);
    asm volatile("ud2");
}

static const struct {
    const char *name;
    void (*run)(void);
} deadly[] = {
    {"stack-not-canonical", stack_not_canonical},
    {"stack-in-hypervisor", stack_in_hypervisor},
    {"stack-in-table", stack_in_table},
    {"return-to-ring-0", return_to_ring_0},
    {"return-from-hypervisor", return_from_hypervisor},
    {"entry-stack", entry_stack},
    {"trap-into-hypervisor", trap_into_hypervisor},
    {"events-into-hypervisor", events_into_hypervisor},
    {"call-hypervisor", call_hypervisor},
    {"without-tables", without_tables},
};

void run_deadly(const char *name)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(deadly); i++)
        if (strcmp(name, deadly[i].name) == 0)
            deadly[i].run();
}
