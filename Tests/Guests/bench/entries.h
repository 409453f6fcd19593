/*
 * The shortest entries that a guest's kernel can have, so that what is counted is the hypervisor's
 * work: none of them calls C, and each leaves by the iret hypercall.
 */
#ifndef BENCH_ENTRIES_H
#define BENCH_ENTRIES_H

#include "guest.h"

#define TEXT_OF(x) #x
#define NUMBER(x) TEXT_OF(x)

/*
 * ARRIVE begins an entry: on 64 bits the frame has rcx and r11 on top. LEAVE ends it; the flags
 * are those of 64 bits. SELECTOR is the offset of evtchn_pending_sel.
 */
#ifdef __x86_64__
#define WORD 8
#define SELECTOR 8
#define ARRIVE "popq %rcx; popq %r11\n"
#define LEAVE(flags)                                                                               \
    "pushq $" NUMBER(flags) "; jmp hypercall_page + " NUMBER(__HYPERVISOR_iret) " * 32\n"
_Static_assert(VGCF_in_syscall == 0x100, "the flags that answer_syscall leaves with");
#else
#define WORD 4
#define SELECTOR 4
#define ARRIVE "\n"
#define LEAVE(flags) "jmp hypercall_page + " NUMBER(__HYPERVISOR_iret) " * 32\n"
#endif

/* Offsets of vcpu_info and of the pending bits in the shared page, asserted below. */
#define VCPU_INFO_SIZE 64
#define PENDING_BITS 2048
_Static_assert(sizeof(unsigned long) == WORD, "the entries know words by their size");
_Static_assert(sizeof(struct vcpu_info) == VCPU_INFO_SIZE, "the entries reach it by number");
_Static_assert(offsetof(struct vcpu_info, evtchn_pending_sel) == SELECTOR, "as above");
_Static_assert(offsetof(struct shared_info, evtchn_pending) == PENDING_BITS, "as above");

/*
 * The upcall of one vcpu: NAME_keep has a 0 for each of its ports, which are in the first word, and
 * NAME_count counts upcalls.
 */
#define UPCALL(name, vcpu)                                                                         \
    extern char name[];                                                                            \
    static volatile unsigned long name##_keep __attribute__((used));                               \
    static volatile uint32_t name##_count __attribute__((used));                                   \
    __asm__(".text; " #name ":\n" ARRIVE                                                           \
            "push %" AX "; push %" CX "\n"                                                         \
            "mov shared_info, %" AX "\n"                                                           \
            "movb $0, " NUMBER(vcpu) " * 64(%" AX ")\n"                                            \
            "movl $0, " NUMBER(vcpu) " * 64 + " NUMBER(SELECTOR) "(%" AX ")\n"                     \
            "mov " #name "_keep, %" CX "\n"                                                        \
            "lock and %" CX ", " NUMBER(PENDING_BITS) "(%" AX ")\n"                                \
            "incl " #name "_count\n"                                                               \
            "pop %" CX "; pop %" AX "\n" LEAVE(0))

UPCALL(first_upcall, 0);
UPCALL(second_upcall, 1);

/* A page fault: goes on behind the instruction that faulted, which has 3 bytes. */
extern char skip_fault[];
__asm__(".text; skip_fault:\n" ARRIVE
        "add $" NUMBER(WORD) ", %" SP "; addl $3, (%" SP ")\n" LEAVE(0));

/* A system call: straight back, but for the last one, which ends user_run. */
extern char answer_syscall[];
__asm__(".text; answer_syscall: testl %eax, %eax; jnz syscall_entry\n" ARRIVE LEAVE(0x100));

#endif /* BENCH_ENTRIES_H */
