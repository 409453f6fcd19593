/*
 * The shortest entries that a guest's kernel can have, so that what is counted is the hypervisor's
 * work: none of them calls C, and each leaves by the iret hypercall.
 */
#ifndef BENCH_ENTRIES_H
#define BENCH_ENTRIES_H

#include "guest.h"

#define TEXT_OF(x) #x
#define NUMBER(x) TEXT_OF(x)
#define LEAVE(flags)                                                                               \
    "pushq $" NUMBER(flags) "; jmp hypercall_page + " NUMBER(__HYPERVISOR_iret) " * 32\n"

/* Offsets of vcpu_info and of the pending bits in the shared page, asserted below. */
#define VCPU_INFO_SIZE 64
#define PENDING_SELECTOR 8
#define PENDING_BITS 2048
_Static_assert(sizeof(struct vcpu_info) == VCPU_INFO_SIZE, "the entries reach it by number");
_Static_assert(offsetof(struct vcpu_info, evtchn_pending_sel) == PENDING_SELECTOR, "as above");
_Static_assert(offsetof(struct shared_info, evtchn_pending) == PENDING_BITS, "as above");

/*
 * The upcall of one vcpu: NAME_keep has a 0 for each of its ports, which are below 64, and
 * NAME_count counts upcalls.
 */
#define UPCALL(name, vcpu)                                                                         \
    extern char name[];                                                                            \
    static volatile uint64_t name##_keep __attribute__((used)), name##_count __attribute__((used)); \
    __asm__(".text; " #name ":\n"                                                                  \
            "popq %rcx; popq %r11; pushq %rax; pushq %rcx\n"                                       \
            "movq shared_info(%rip), %rax\n"                                                       \
            "movb $0, " NUMBER(vcpu) " * 64(%rax)\n"                                               \
            "movq $0, " NUMBER(vcpu) " * 64 + 8(%rax)\n"                                           \
            "movq " #name "_keep(%rip), %rcx\n"                                                    \
            "lock andq %rcx, " NUMBER(PENDING_BITS) "(%rax)\n"                                     \
            "incq " #name "_count(%rip)\n"                                                         \
            "popq %rcx; popq %rax\n" LEAVE(0))

UPCALL(first_upcall, 0);
UPCALL(second_upcall, 1);

/* A page fault: goes on behind the instruction that faulted, which has 3 bytes. */
extern char skip_fault[];
__asm__(".text; skip_fault: popq %rcx; popq %r11; addq $8, %rsp; addq $3, (%rsp)\n" LEAVE(0));

/* A system call: straight back, but for the last one, which ends user_run. */
extern char answer_syscall[];
__asm__(".text; answer_syscall: testl %eax, %eax; jnz syscall_entry\n"
        "popq %rcx; popq %r11\n" LEAVE(0x100));
_Static_assert(VGCF_in_syscall == 0x100, "the flags of iret_context in answer_syscall");

#endif /* BENCH_ENTRIES_H */
