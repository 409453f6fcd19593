/*
 * Entries of the guest's kernel. Xen calls them with its frame on the stack:
 *
 *      %rsp -> rcx, r11, [error code], rip, cs, rflags, rsp, ss
 *
 * (the failsafe entry has ds, es, fs, gs before rip). Each stub completes that to a
 * struct trap_frame (arch.h), calls trap_dispatch in traps.c and leaves by the iret hypercall.
 */
#include "xenabi.h"
#include "arch.h"
#include "entries.h"

    .section .text, "ax"

    .macro entry_with_code name, vector
    .globl  \name
\name:
    popq    %rcx
    popq    %r11
    pushq   $\vector
    jmp     enter
    .endm

    .macro entry_without_code name, vector
    .globl  \name
\name:
    popq    %rcx
    popq    %r11
    pushq   $0
    pushq   $\vector
    jmp     enter
    .endm

    .altmacro
    .macro exception vector
    .if (\vector == 8) || ((\vector >= 10) && (\vector <= 14)) || (\vector == 17) || (\vector == 21)
    entry_with_code trap_entry_\vector, \vector
    .else
    entry_without_code trap_entry_\vector, \vector
    .endif
    .endm

    .set    number, 0
    .rept   32
    exception %number
    .set    number, number + 1
    .endr
    .noaltmacro

    entry_without_code trap_entry_gate, ENTRY_GATE
    entry_without_code syscall_entry, ENTRY_SYSCALL
    entry_without_code sysenter_entry, ENTRY_SYSENTER
    entry_without_code event_entry, ENTRY_EVENT

    .globl  failsafe_entry
failsafe_entry:
    popq    %rcx
    popq    %r11
    addq    $32, %rsp               /* The four selectors. */
    pushq   $0
    pushq   $ENTRY_FAILSAFE
    jmp     enter

enter:
    pushq   %rdi
    pushq   %rsi
    pushq   %rdx
    pushq   %rcx
    pushq   %rax
    pushq   %r8
    pushq   %r9
    pushq   %r10
    pushq   %r11
    pushq   %rbx
    pushq   %rbp
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    cld
    movq    %rsp, %rdi
    movq    %rsp, %rbp
    andq    $-16, %rsp
    call    trap_dispatch
    movq    %rbp, %rsp

/* In: %rsp = a struct trap_frame. Loads all of it and goes there. */
    .globl  leave_to_frame
leave_to_frame:
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbp
    popq    %rbx
    popq    %r11
    popq    %r10
    popq    %r9
    popq    %r8
    popq    %rax
    popq    %rcx
    popq    %rdx
    popq    %rsi
    popq    %rdi
    addq    $16, %rsp               /* Vector and error code. */
    pushq   iret_flags(%rip)        /* iret_context.flags */
    jmp     hypercall_page + __HYPERVISOR_iret * XEN_HYPERCALL_SLOT_SIZE

/*
 * void user_enter(const struct trap_frame *frame), called by user_run in user.c.
 * Keeps the kernel's context and goes to the frame; user_leave comes back from here.
 */
    .globl  user_enter
user_enter:
    pushq   %rbx
    pushq   %rbp
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    movq    %rsp, user_kernel_rsp(%rip)
    subq    $TRAP_FRAME_SIZE, %rsp
    movq    %rdi, %rsi
    movq    %rsp, %rdi
    movl    $TRAP_FRAME_SIZE / 8, %ecx
    rep     movsq
    jmp     leave_to_frame

/* Called by trap_dispatch, on whatever stack, when user mode has come to its end. */
    .globl  user_leave
user_leave:
    movq    user_kernel_rsp(%rip), %rsp
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbp
    popq    %rbx
    ret

    .section .rodata
    .balign 8
    .globl  trap_entries
trap_entries:
    .altmacro
    .macro  address vector
    .quad   trap_entry_\vector
    .endm
    .set    number, 0
    .rept   32
    address %number
    .set    number, number + 1
    .endr
    .noaltmacro

    .section .bss
    .balign 8
user_kernel_rsp:
    .skip   8
    .globl  iret_flags
iret_flags:
    .skip   8

    .section .note.GNU-stack, "", @progbits
