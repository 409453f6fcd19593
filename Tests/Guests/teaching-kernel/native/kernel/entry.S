/*
 * Entries and exits. Whatever enters the kernel leaves the same struct frame (trap.h) on the stack
 * of the process that ran:
 *
 *     ss rsp rflags cs rip | error code, vector | rax ... r15   <- %rsp, from high to low
 *
 * %gs: outside the kernel it is the program's. swapgs exchanges it for struct processor
 * (segments.h), which only system_call_entry uses: the syscall instruction changes no stack.
 */
#include "layout.h"

#define FRAME_CS 24                     /* behind vector and error code */
#define PROCESSOR_KERNEL_STACK 0
#define PROCESSOR_USER_STACK 8

    .macro push_registers
    .irp    register, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11, rbx, rbp, r12, r13, r14, r15
    pushq   %\register
    .endr
    .endm

    .macro pop_registers
    .irp    register, r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
    popq    %\register
    .endr
    .endm

    .section .text, "ax"

/* One entry for each vector, 16 bytes apart, so that trap.c can compute their addresses. */
    .balign 16
    .globl  trap_entries
trap_entries:
    .set    vector, 0
    .rept   VECTORS
    .balign 16
    .if     vector != 8 && (vector < 10 || vector > 14) && vector != 17 && vector != 21
    pushq   $0                      /* The processor pushes an error code for the others. */
    .endif
    pushq   $vector
    jmp     trap_common
    .set    vector, vector + 1
    .endr

trap_common:
    testb   $3, FRAME_CS(%rsp)
    jz      1f
    swapgs
1:  push_registers
    cld
    movq    %rsp, %rdi
    call    trap_handle

/* Goes where the frame at the stack pointer says. A new process begins here. */
    .globl  trap_return
trap_return:
    cli                             /* Between swapgs and iretq nothing may come. */
    pop_registers
    testb   $3, FRAME_CS(%rsp)
    jz      1f
    swapgs
1:  addq    $16, %rsp
    iretq

/* void frame_resume(struct frame *): leaves the kernel by a frame. */
    .globl  frame_resume
frame_resume:
    movq    %rdi, %rsp
    jmp     trap_return

/* The syscall instruction: rcx = where to go on, r11 = flags, the stack still the program's,
 * interrupts off by FMASK. */
    .balign 16
    .globl  system_call_entry
system_call_entry:
    swapgs
    movq    %rsp, %gs:PROCESSOR_USER_STACK
    movq    %gs:PROCESSOR_KERNEL_STACK, %rsp
    pushq   $USER_SS
    pushq   %gs:PROCESSOR_USER_STACK
    pushq   %r11
    pushq   $USER_CS
    pushq   %rcx
    pushq   $0
    pushq   $VECTOR_SYSTEM_CALL
    push_registers
    sti
    movq    %rsp, %rdi
    call    system_call
    cli
    pop_registers
    /* No program has memory at the last canonical address, so rip is canonical, and sysret does not
     * fault in ring 0 on the program's stack. */
    movq    16(%rsp), %rcx
    movq    32(%rsp), %r11
    movq    40(%rsp), %rsp
    swapgs
    sysretq

/* void context_switch(uint64_t *save_stack, uint64_t stack): C's preserved registers go onto one
 * stack and come from the other. Interrupts are off. */
    .globl  context_switch
context_switch:
    pushq   %rbp
    pushq   %rbx
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    movq    %rsp, (%rdi)
    movq    %rsi, %rsp
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbx
    popq    %rbp
    ret

    .section .note.GNU-stack, "", @progbits
