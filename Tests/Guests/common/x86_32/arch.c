/* What the rest of the runtime asks of 32 bits. */
#include "guest.h"

/* As the slots of the hypercall page do, with the number in a register. */
long hypercall(unsigned long number, unsigned long a1, unsigned long a2, unsigned long a3,
               unsigned long a4, unsigned long a5)
{
    long result;
    __asm__ volatile("int $0x82"
                     : "=a"(result), "+b"(a1), "+c"(a2), "+d"(a3), "+S"(a4), "+D"(a5)
                     : "0"(number)
                     : "memory");
    return result;
}

/* User mode enters by `int $0x80`, which a row of the trap table takes (traps.c). */
long callbacks_register(const void *failsafe)
{
    return HYPERVISOR_set_callbacks(FLAT_KERNEL_CS, (unsigned long)event_entry, FLAT_KERNEL_CS,
                                    (unsigned long)failsafe);
}

const volatile unsigned long *machine_to_physical(void)
{
    static struct xen_machphys_mapping mapping;
    if (!mapping.v_start && HYPERVISOR_memory_op(XENMEM_machphys_mapping, &mapping))
        panic("the place of the M2P table is not told");
    return (const volatile unsigned long *)mapping.v_start;
}

/* The user bit of each page tells kernel and user apart: one table serves both. */
pte_t *user_top_make(void)
{
    return top_table();
}

void context_prepare(struct vcpu_guest_context *context, uintptr_t entry, uintptr_t stack,
                     uint64_t flags)
{
    context->flags = VGCF_in_kernel;
    context->user_regs.eflags = (uint32_t)flags;
    context->user_regs.eip = entry;
    context->user_regs.esp = stack - 4; /* As after a call. */
    context->user_regs.cs = FLAT_KERNEL_CS;
    context->user_regs.ss = FLAT_KERNEL_SS;
    context->user_regs.ds = context->user_regs.es = FLAT_KERNEL_DS;
    context->kernel_ss = FLAT_KERNEL_SS;
    context->kernel_sp = stack;
    context->ctrlreg[3] = CR3_OF(mfn_of(top_table()));
    context->event_callback_cs = FLAT_KERNEL_CS;
    context->event_callback_eip = (unsigned long)event_entry;
    context->failsafe_callback_cs = FLAT_KERNEL_CS;
    context->failsafe_callback_eip = (unsigned long)failsafe_entry;
}
