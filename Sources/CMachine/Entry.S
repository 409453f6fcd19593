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

        .macro RESTORE_CALLER_SAVED
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

        .macro RESTORE_REGISTERS
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbp
        popq    %rbx
        RESTORE_CALLER_SAVED
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
        # 1, 2, 8 and 18 have stacks of their own: InterruptTable.swift.
        .if     (vector < 32) && ((0x40106 >> vector) & 1)
        jmp     trap_elsewhere
        .else
        jmp     trap
        .endif
        .set    vector, vector + 1
        .endr

/*
 * trap, trap_elsewhere
 * In:  error code, vector and the processor's frame on this CPU's main stack, or on an IST stack.
 * Out: leaves by iretq with the frame as Swift has left it. rootstock_trap and rootstock_syscall
 *      answer how: 0, all registers out of the frame; 1, by sysretq, which promises that rip is
 *      canonical, that rcx and r11 may be lost and that the selectors are the flat ones; -1, by
 *      iretq. Not 0 promises that rbx, rbp and r12 to r15 are the frame's: then a function's caller
 *      finds them as they were.
 */
        .balign 16
trap:
        cld
        SAVE_REGISTERS
        movq    %rsp, %rdi
        testb   $3, XG_FRAME_CS(%rsp)
        jz      from_hypervisor
frame_in_place:
        subq    $8, %rsp                # The frame is 21 quadwords: align the stack for C.
        call    rootstock_trap
        testl   %eax, %eax
        jnz     short_return
all_registers:
        addq    $8, %rsp
return_to_guest:
        RESTORE_REGISTERS
        addq    $8, %rsp
        .globl  xg_guest_iret
xg_guest_iret:
        iretq

/* As above, with 8 bytes below the frame; the promise for -1. */
short_return:
        addq    $(8 + XG_FRAME_R11), %rsp
        RESTORE_CALLER_SAVED
        addq    $8, %rsp
        .globl  xg_guest_short_iret
xg_guest_short_iret:
        iretq

from_hypervisor:
        movq    %rdi, %rbx
        andq    $-16, %rsp
        call    rootstock_internal_trap
        movq    %rbx, %rsp
        RESTORE_REGISTERS
        addq    $8, %rsp
        iretq

/* From a guest the frame belongs at the top of the main stack. */
trap_elsewhere:
        cld
        SAVE_REGISTERS
        movq    %rsp, %rdi
        testb   $3, XG_FRAME_CS(%rsp)
        jz      from_hypervisor
        movq    %rsp, %rsi
        andq    $-XG_BLOCK_SIZE, %rdi
        addq    $(XG_BLOCK_SIZE - XG_FRAME_SIZE), %rdi
        movq    %rdi, %rsp
        movl    $(XG_FRAME_SIZE / 8), %ecx
        rep     movsq
        movq    %rsp, %rdi
        jmp     frame_in_place

/*
 * xg_syscall_entry, xg_syscall32_entry     jumped to by the stub of the CPU's block
 * In:  %rcx = the guest's rip, %r11 = its rflags, main stack loaded, interrupts off.
 * Out: as Swift answers, see trap.
 */
        .macro SYSCALL_FRAME selector, vector
        pushq   $XG_GUEST_SS
        pushq   (8 - XG_BLOCK_SIZE + XG_PERCPU_SYSCALL_RSP)(%rsp)
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
        SAVE_REGISTERS
        movq    %rsp, %rdi
        subq    $8, %rsp
        call    rootstock_syscall32
        jmp     all_registers
        .balign 16
xg_syscall_entry:
        SYSCALL_FRAME XG_GUEST_CS64, XG_VECTOR_SYSCALL
        SAVE_REGISTERS
        movq    %rsp, %rdi
        subq    $8, %rsp
        call    rootstock_syscall
        testl   %eax, %eax
        jz      all_registers
        js      short_return
        addq    $(8 + XG_FRAME_R11 + 8), %rsp
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rax
        movq    8(%rsp), %rdx
        movq    16(%rsp), %rsi
        movq    24(%rsp), %rdi
        movq    (XG_FRAME_CS - 8 - XG_FRAME_RCX)(%rsp), %rcx
        movq    (XG_FRAME_CS + 8 - XG_FRAME_RCX)(%rsp), %r11
        movq    (XG_FRAME_CS + 16 - XG_FRAME_RCX)(%rsp), %rsp
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
 * What machine.h calls with registers of its own choice, so that its callers save none: nothing but
 * what is named is changed. Out: %rax as xg_guarded_copy.
 *
 * xg_guarded_load32, xg_guarded_load64     %rdx = what is at %rdi
 */
        .globl  xg_guarded_load32, xg_guarded_load64
xg_guarded_load32:
        movl    (%rdi), %edx
        xorl    %eax, %eax
        ret
xg_guarded_load64:
        movq    (%rdi), %rdx
        xorl    %eax, %eax
        ret

/*
 * xg_push_exception, xg_push_exception_with_code
 * In:  %rdi = top of the stack, %rsi = frame, %rdx = cs, %rcx = rflags, %r8 = error code, %r10 =
 *      the handler.
 * Writes the ABI's exception frame below, of 7 or 8 words: rcx, r11, [code], rip, cs, rflags, rsp,
 * ss; and makes the frame at %rsi that of the handler. Changes %r9.
 */
        .globl  xg_push_exception, xg_push_exception_with_code
xg_push_exception_with_code:
        movq    %r8, -48(%rdi)
        leaq    -8(%rdi), %r9
        jmp     1f
xg_push_exception:
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
        # All is written, and nothing faults any more.
        leaq    -56(%r9), %rax
        movq    %rax, (XG_FRAME_CS + 16)(%rsi)
        movq    %r10, (XG_FRAME_CS - 8)(%rsi)
        movq    $XG_GUEST_CS64, XG_FRAME_CS(%rsi)
        andq    $~XG_HANDLER_FLAGS, (XG_FRAME_CS + 8)(%rsi)
        movq    $XG_GUEST_SS, (XG_FRAME_CS + 24)(%rsi)
        xorl    %eax, %eax
        ret

/*
 * xg_pull_context
 * In:  %rdi = frame, %rsi = the ABI's iret_context: rax, r11, rcx, flags, rip, cs, rflags, rsp, ss.
 * Out: its rsp, rip, rcx, r11 and rax in the frame, the rest, which is to be looked at, in %rdx
 *      (rflags), %rcx (cs), %r8 (ss) and %r9 (flags).
 */
        .globl  xg_pull_context
xg_pull_context:
        movq    64(%rsi), %r8
        movq    (%rsi), %rax
        movq    %rax, (XG_FRAME_RCX - 8)(%rdi)
        movq    8(%rsi), %rax
        movq    %rax, XG_FRAME_R11(%rdi)
        movq    16(%rsi), %rax
        movq    %rax, XG_FRAME_RCX(%rdi)
        movq    24(%rsi), %r9
        movq    32(%rsi), %rax
        movq    %rax, (XG_FRAME_CS - 8)(%rdi)
        movq    40(%rsi), %rcx
        movq    48(%rsi), %rdx
        movq    56(%rsi), %rax
        movq    %rax, (XG_FRAME_CS + 16)(%rdi)
        xorl    %eax, %eax
        ret
xg_guarded_end:
xg_guarded_fixup:
        movl    $1, %eax
        ret

/*
 * uint32_t xg_load_ds(selector) and its like      called by SegmentState.swift
 * A fault between xg_segment_loads_start and xg_segment_loads_end runs the instruction again with
 * the null selector, which is always accepted, and with the answer 1. Out: 0 otherwise.
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
        xorl    %eax, %eax
        movl    %edi, %gs
        ret
xg_load_ds:
        xorl    %eax, %eax
        movl    %edi, %ds
        ret
xg_load_es:
        xorl    %eax, %eax
        movl    %edi, %es
        ret
xg_load_fs:
        xorl    %eax, %eax
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
