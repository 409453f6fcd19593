/*
 * test: attack-upcall-nesting
 * verdict: crash
 * The event handler sets its own event pending and unmasks at its first instruction: each upcall
 * interrupts the one before until the stack is through. The hypervisor may neither loop in delivery
 * nor write below the stack's mapping. The guest must die.
 */
#include "guest.h"

/* r15 holds the vcpu's place in the shared page throughout. */
__attribute__((naked)) static void nest(void)
{
    __asm__("movb $1, %c0(%%r15)\n movb $0, %c1(%%r15)\n"
            "1: movl %2, %%eax; xorl %%edi, %%edi; xorl %%esi, %%esi; syscall; jmp 1b"
            :
            : "i"(offsetof(struct vcpu_info, evtchn_upcall_pending)),
              "i"(offsetof(struct vcpu_info, evtchn_upcall_mask)), "i"(__HYPERVISOR_xen_version));
}

void test_main(void)
{
    HYPERVISOR_set_callbacks((unsigned long)nest, (unsigned long)failsafe_entry,
                             (unsigned long)syscall_entry);
    /* A page below the stack that is away, so that nothing else is overwritten. */
    uint8_t *stack = page_alloc();
    HYPERVISOR_update_va_mapping((unsigned long)stack, 0, UVMF_INVLPG);
    page_alloc();
    page_alloc();
    print("Test result: SUCCESS\n");
    __asm__ volatile("mov %0, %%" SP "; mov %1, %%r15; jmp *%2"
                     :
                     : "r"(stack + 3 * PAGE_SIZE), "r"(this_vcpu()), "r"(nest)
                     : "memory");
}
