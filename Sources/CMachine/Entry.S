/*
 * Into the hypervisor and out of it.
 *
 * Exceptions and interrupts come through 256 stubs; system calls and hypercalls through the
 * `syscall` instruction and a stub in the CPU's block (PerCPU.swift writes it), which has put
 * the guest's stack pointer into the block and loaded the main stack. Either way a struct
 * xg_frame is built at the top of the main stack and Swift is called with its address.
 *
 * GS is never the hypervisor's: both its bases belong to the guest, so no entry executes
 * swapgs, and an NMI may arrive at any instruction.
 */
#include "include/layout.h"

        .macro SAVE_REGISTERS
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
        .endm

        .macro RESTORE_CALLEE_SAVED
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        .endm

        .macro RESTORE_REGISTERS
        RESTORE_CALLEE_SAVED
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rax
        popq    %rcx
        popq    %rdx
        popq    %rsi
        popq    %rdi
        .endm

        .text
/*
 * One stub of 16 bytes for each vector. Error code and vector share the quadword that the
 * processor, or the stub in its place, has pushed: the ABI's error_code and entry_vector.
 */
        .balign 16
        .globl  xg_vector_stubs
xg_vector_stubs:
        .set    vector, 0
        .rept   256
        .balign 16
        # 8, 10 to 14, 17, 21, 29 and 30 push an error code.
        .if     (vector < 32) && ((0x60227d00 >> vector) & 1)
        .else
        pushq   $0
        .endif
        movl    $vector, 4(%rsp)
        jmp     trap
        .set    vector, vector + 1
        .endr

/*
 * trap
 * In:  error code, vector and the processor's frame on this CPU's main stack or on an IST stack.
 * Out: leaves by iretq with the frame as Swift has left it.
 */
        .balign 16
trap:
        cld
        SAVE_REGISTERS
        movq    %rsp, %rdi
        testb   $3, XG_FRAME_CS(%rsp)
        jz      from_hypervisor
        # From a guest the frame belongs at the top of the main stack. Only the exceptions with
        # stacks of their own come on another one.
        movq    %rsp, %rax
        andq    $-XG_BLOCK_SIZE, %rax
        leaq    (XG_BLOCK_SIZE - XG_FRAME_SIZE)(%rax), %rdx
        cmpq    %rdx, %rsp
        jne     move_frame
frame_in_place:
        subq    $8, %rsp                # The frame is 21 quadwords: align the stack for C.
        call    rootstock_trap
        addq    $8, %rsp
return_to_guest:
        RESTORE_REGISTERS
        addq    $8, %rsp
        .globl  xg_guest_iret
xg_guest_iret:
        iretq

from_hypervisor:
        movq    %rdi, %rbx
        andq    $-16, %rsp
        call    rootstock_internal_trap
        movq    %rbx, %rsp
        RESTORE_REGISTERS
        addq    $8, %rsp
        iretq

move_frame:
        movq    %rsp, %rsi
        movq    %rdx, %rdi
        movl    $(XG_FRAME_SIZE / 8), %ecx
        rep     movsq
        movq    %rdx, %rsp
        movq    %rdx, %rdi
        jmp     frame_in_place

/*
 * xg_syscall_entry, xg_syscall32_entry     jumped to by the stub of the CPU's block
 * In:  %rcx = the guest's rip, %r11 = its rflags, main stack loaded, interrupts off.
 * Out: by sysretq if Swift answers 1, which promises that rip is canonical, that rcx and r11
 *      may be lost and that the selectors are the flat ones; else by iretq.
 */
        .macro SYSCALL_FRAME selector, vector
        pushq   $XG_GUEST_SS
        subq    $8, %rsp                # rsp, filled in below
        pushq   %r11
        pushq   $\selector
        pushq   %rcx
        pushq   $0
        movl    $\vector, 4(%rsp)
        .endm

        .balign 16
        .globl  xg_syscall_entry, xg_syscall32_entry
xg_syscall32_entry:
        SYSCALL_FRAME XG_GUEST_CS32, XG_VECTOR_SYSCALL32
        jmp     1f
        .balign 16
xg_syscall_entry:
        SYSCALL_FRAME XG_GUEST_CS64, XG_VECTOR_SYSCALL
1:
        SAVE_REGISTERS
        movq    (XG_FRAME_SIZE - XG_BLOCK_SIZE + XG_PERCPU_SYSCALL_RSP)(%rsp), %rax
        movq    %rax, (XG_FRAME_SIZE - 16)(%rsp)
        movq    %rsp, %rdi
        subq    $8, %rsp
        call    rootstock_syscall
        addq    $8, %rsp
        testl   %eax, %eax
        jz      return_to_guest
        RESTORE_CALLEE_SAVED
        popq    %rcx                    # r11 becomes rflags below
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rax
        popq    %rcx                    # and rcx becomes rip
        popq    %rdx
        popq    %rsi
        popq    %rdi
        movq    8(%rsp), %rcx
        movq    24(%rsp), %r11
        movq    32(%rsp), %rsp
        sysretq

/*
 * xg_sysenter_entry    the processor comes here by sysenter, on the main stack, interrupts off
 * Where the guest was is lost by the instruction itself; the ABI's frame has zeros there. Flags that
 * it leaves on (trap, nested task, direction) are the guest's and must not stay.
 */
        .balign 16
        .globl  xg_sysenter_entry
xg_sysenter_entry:
        pushq   $XG_GUEST_SS
        pushq   $0
        pushfq
        pushq   $3
        pushq   $0
        pushq   $0
        movl    $XG_VECTOR_SYSENTER, 4(%rsp)
        pushq   $2
        popfq
        SAVE_REGISTERS
        movq    %rsp, %rdi
        subq    $8, %rsp
        call    rootstock_sysenter
        addq    $8, %rsp
        jmp     return_to_guest

/*
 * uint64_t xg_guarded_copy(to, from, count)    called by GuestMemory.swift
 * A page fault between xg_guarded_start and xg_guarded_end continues at xg_guarded_fixup.
 * Out: 0, or 1 where a fault stopped it.
 */
        .balign 16
        .globl  xg_guarded_copy, xg_guarded_start, xg_guarded_end, xg_guarded_fixup
xg_guarded_start:
xg_guarded_copy:
        movq    %rdx, %rcx
        shrq    $3, %rcx
        rep     movsq
        andl    $7, %edx
        jz      1f
        movl    %edx, %ecx
        rep     movsb
1:      xorl    %eax, %eax
        ret

/*
 * uint64_t xg_push_frame(top, frame, cs, rflags)                   called by Bounce.swift
 * uint64_t xg_push_frame_with_code(top, frame, cs, rflags, code)
 * Writes the ABI's exception frame below `top`, of 7 or 8 words: rcx, r11, [code], rip, cs,
 * rflags, rsp, ss. Out: as xg_guarded_copy.
 */
        .globl  xg_push_frame, xg_push_frame_with_code
xg_push_frame_with_code:
        movq    %r8, -48(%rdi)
        leaq    -8(%rdi), %r9
        jmp     1f
xg_push_frame:
        movq    %rdi, %r9
1:      movq    (XG_FRAME_CS + 24)(%rsi), %rax
        movq    %rax, -8(%rdi)
        movq    (XG_FRAME_CS + 16)(%rsi), %rax
        movq    %rax, -16(%rdi)
        movq    %rcx, -24(%rdi)
        movq    %rdx, -32(%rdi)
        movq    (XG_FRAME_CS - 8)(%rsi), %rax
        movq    %rax, -40(%rdi)
        movq    XG_FRAME_R11(%rsi), %rax
        movq    %rax, -48(%r9)
        movq    XG_FRAME_RCX(%rsi), %rax
        movq    %rax, -56(%r9)
        xorl    %eax, %eax
        ret

/*
 * uint64_t xg_pull_frame(frame, stack)         called by EntryHypercalls.swift
 * Loads the ABI's iret_context at `stack`: rax, r11, rcx, flags, rip, cs, rflags, rsp, ss. First
 * and last word come first, so that nothing is changed where the context is not there.
 * Out: 1 where a fault stopped it; else 0x100 with VGCF_in_syscall in the flags, 0 without.
 */
        .globl  xg_pull_frame
xg_pull_frame:
        movq    (%rsi), %rdx
        movq    64(%rsi), %rcx
        movq    %rdx, (XG_FRAME_RCX - 8)(%rdi)
        movq    %rcx, (XG_FRAME_CS + 24)(%rdi)
        movq    8(%rsi), %rdx
        movq    %rdx, XG_FRAME_R11(%rdi)
        movq    16(%rsi), %rdx
        movq    %rdx, XG_FRAME_RCX(%rdi)
        movl    24(%rsi), %eax
        movq    32(%rsi), %rdx
        movq    %rdx, (XG_FRAME_CS - 8)(%rdi)
        movq    40(%rsi), %rdx
        movq    %rdx, XG_FRAME_CS(%rdi)
        movq    48(%rsi), %rdx
        movq    %rdx, (XG_FRAME_CS + 8)(%rdi)
        movq    56(%rsi), %rdx
        movq    %rdx, (XG_FRAME_CS + 16)(%rdi)
        andl    $0x100, %eax
        ret
xg_guarded_end:
xg_guarded_fixup:
        movl    $1, %eax
        ret

/*
 * void xg_load_ds(selector) and its like      called by SegmentState.swift
 * A fault between xg_segment_loads_start and xg_segment_loads_end runs the instruction again with
 * the null selector, which is always accepted.
 */
        .globl  xg_load_user_gs, xg_load_kernel_gs, xg_load_ds, xg_load_es, xg_load_fs
        .globl  xg_segment_loads_start, xg_segment_loads_end
xg_load_user_gs:
        swapgs
        call    xg_load_kernel_gs
        swapgs
        ret
xg_segment_loads_start:
xg_load_kernel_gs:
        movl    %edi, %gs
        ret
xg_load_ds:
        movl    %edi, %ds
        ret
xg_load_es:
        movl    %edi, %es
        ret
xg_load_fs:
        movl    %edi, %fs
        ret
xg_segment_loads_end:

/*
 * void xg_enter_guest(cpu)     called where the stack below the frame is given up: Switch.swift
 * In:  a frame at the top of the main stack of the block at %rdi.
 */
        .globl  xg_enter_guest
xg_enter_guest:
        leaq    (XG_BLOCK_SIZE - XG_FRAME_SIZE)(%rdi), %rsp
        jmp     return_to_guest

/* void xg_call_on_stack(top, function) */
        .globl  xg_call_on_stack
xg_call_on_stack:
        movq    %rdi, %rsp
        xorl    %ebp, %ebp
        callq   *%rsi
        ud2

        .section .note.GNU-stack, "", @progbits
