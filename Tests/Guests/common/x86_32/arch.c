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

static const struct xen_machphys_mapping *machphys_mapping(void)
{
    static struct xen_machphys_mapping mapping;
    if (!mapping.v_start && HYPERVISOR_memory_op(XENMEM_machphys_mapping, &mapping))
        panic("the place of the M2P table is not told");
    return &mapping;
}

const volatile unsigned long *machine_to_physical(void)
{
    return (const volatile unsigned long *)machphys_mapping()->v_start;
}

uintptr_t machine_to_physical_end(void)
{
    return machphys_mapping()->v_end;
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

pte_t *top_make(void)
{
    pte_t *top = page_alloc(), *last = page_alloc();
    page_read_only(last);
    top[TOP_LAST] = pte_make(mfn_of(last), table_flags(3));
    return top;
}

pte_t *hypervisor_slots(pte_t *top, unsigned int *count)
{
    pte_t *last = address_of_mfn(pte_frame(top[TOP_LAST]));
    unsigned int first = table_index(hypervisor_start(), 2);
    *count = 512 - first;
    return &last[first];
}

/* Ring 0 becomes ring 1, 64-bit code is refused, and what grows up ends behind the M2P table. */
uint64_t descriptor_stored(uint64_t descriptor)
{
    if (!(descriptor >> 47 & 1))
        return descriptor;
    unsigned int kind = descriptor >> 40 & 15;
    bool is_granular = descriptor >> 55 & 1, grows_down = (kind & 12) == 4;
    if ((kind & 8) && (descriptor >> 53 & 1))
        return 0;
    if (!(descriptor >> 45 & 3))
        descriptor |= 1ull << 45;
    uint64_t base = (descriptor >> 16 & 0xffffff) | (descriptor >> 32 & 0xff000000);
    uint64_t limit = (descriptor & 0xffff) | (descriptor >> 32 & 0xf0000), end = machine_to_physical_end();
    uint64_t last = base + (is_granular ? limit << 12 | 0xfff : limit);
    if (grows_down || base >= end || last < end || last >> 32)
        return descriptor;
    uint64_t size = end - base;
    if (size < PAGE_SIZE)
        descriptor &= ~(1ull << 55);
    limit = descriptor >> 55 & 1 ? (size >> 12) - 1 : size - 1;
    return (descriptor & ~0xf00000000ffffull) | (limit & 0xffff) | (limit & 0xf0000) << 32;
}
