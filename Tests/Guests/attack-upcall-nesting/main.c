/*
 * test: attack-upcall-nesting
 * verdict: crash
 * The event handler sets its own event pending and unmasks at its first instruction: each upcall
 * interrupts the one before until the stack is through. The hypervisor may neither loop in delivery
 * nor write below the stack's mapping. The guest must die.
 */
#include "guest.h"

/* A register that holds the vcpu's place in the shared page throughout. */
#ifdef __x86_64__
#define PLACE "%%r15"
#define CALL "xorl %%edi, %%edi; xorl %%esi, %%esi; syscall"
#else
#define PLACE "%%ebp"
#define CALL "xorl %%ebx, %%ebx; xorl %%ecx, %%ecx; int $0x82"
#endif

__attribute__((naked)) static void nest(void)
{
    __asm__("movb $1, %c0(" PLACE ")\n movb $0, %c1(" PLACE ")\n"
            "1: movl %2, %%eax; " CALL "; jmp 1b"
            :
            : "i"(offsetof(struct vcpu_info, evtchn_upcall_pending)),
              "i"(offsetof(struct vcpu_info, evtchn_upcall_mask)), "i"(__HYPERVISOR_xen_version));
}

void test_main(void)
{
#ifdef __x86_64__
    HYPERVISOR_set_callbacks((unsigned long)nest, (unsigned long)failsafe_entry,
                             (unsigned long)syscall_entry);
#else
    HYPERVISOR_set_callbacks(FLAT_KERNEL_CS, (unsigned long)nest, FLAT_KERNEL_CS,
                             (unsigned long)failsafe_entry);
#endif
    /* A page below the stack that is away, so that nothing else is overwritten. */
    uint8_t *stack = page_alloc();
    HYPERVISOR_update_va_mapping((unsigned long)stack, 0, UVMF_INVLPG);
    page_alloc();
    page_alloc();
    print("Test result: SUCCESS\n");
    __asm__ volatile("mov %0, %%" SP "; mov %1, " PLACE "; jmp *%2"
                     :
                     : "c"(stack + 3 * PAGE_SIZE), "a"(this_vcpu()), "d"(nest)
                     : "memory");
}
