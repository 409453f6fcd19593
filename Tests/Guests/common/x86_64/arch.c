/* What the rest of the runtime asks of 64 bits. */
#include "guest.h"

/* As the slots of the hypercall page do, with the number in a register. */
long hypercall(unsigned long number, unsigned long a1, unsigned long a2, unsigned long a3,
               unsigned long a4, unsigned long a5)
{
    long result;
    register unsigned long r10 __asm__("r10") = a4;
    register unsigned long r8 __asm__("r8") = a5;
    __asm__ volatile("syscall"
                     : "=a"(result), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                     : "0"(number)
                     : "memory", "rcx", "r11");
    return result;
}

long callbacks_register(const void *failsafe)
{
    return HYPERVISOR_set_callbacks((unsigned long)event_entry, (unsigned long)failsafe,
                                    (unsigned long)syscall_entry);
}

const volatile unsigned long *machine_to_physical(void)
{
    return (const volatile unsigned long *)MACH2PHYS_VIRT_START;
}

uintptr_t machine_to_physical_end(void)
{
    return MACH2PHYS_VIRT_END;
}

pte_t *user_top_make(void)
{
    pte_t *top = page_alloc();
    top[0] = top_table()[0];
    page_read_only(top);
    if (mmuext_frame(MMUEXT_PIN_L4_TABLE, mfn_of(top)) ||
        mmuext_frame(MMUEXT_NEW_USER_BASEPTR, mfn_of(top)))
        panic("the user's top table is refused");
    return top;
}

void context_prepare(struct vcpu_guest_context *context, uintptr_t entry, uintptr_t stack,
                     uint64_t flags)
{
    context->flags = VGCF_in_kernel;
    context->user_regs.rflags = flags;
    context->user_regs.rip = entry;
    context->user_regs.rsp = stack - 8; /* As after a call. */
    context->user_regs.cs = FLAT_KERNEL_CS;
    context->user_regs.ss = FLAT_KERNEL_SS;
    context->user_regs.ds = context->user_regs.es = FLAT_KERNEL_DS;
    context->kernel_ss = FLAT_KERNEL_SS;
    context->kernel_sp = stack;
    context->ctrlreg[3] = CR3_OF(mfn_of(top_table()));
    context->event_callback_eip = (uint64_t)event_entry;
    context->failsafe_callback_eip = (uint64_t)failsafe_entry;
    context->syscall_callback_eip = (uint64_t)syscall_entry;
}

pte_t *top_make(void)
{
    return page_alloc();
}

pte_t *hypervisor_slots(pte_t *top, unsigned int *count)
{
    *count = 16;
    return &top[256];
}

/* Both modes run in ring 3, and pages protect the hypervisor. */
uint64_t descriptor_stored(uint64_t descriptor)
{
    return descriptor >> 47 & 1 ? descriptor | 3ull << 45 : descriptor;
}
