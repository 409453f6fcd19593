/*
 * Entries of the kernel, with the hypervisor's frame on the stack:
 *
 *      %rsp -> rcx, r11, [error code], rip, cs, rflags, rsp, ss
 *
 * An exception is the end: the stub completes the frame to struct guest_frame for guest_crash.
 */
#include "xenabi.h"
#include "guest_layout.h"

    .section .text, "ax"

/*
 * An event. Whoever runs looks at the pending ports before it sleeps, so there is nothing to do but
 * to take the byte back that brought us here: else we would be called again at once.
 */
    .globl  guest_event_entry
guest_event_entry:
    popq    %rcx
    popq    %r11
    movb    $0, guest_shared_page(%rip)     /* vcpu_info[0].evtchn_upcall_pending */
    pushq   $0                              /* iret_context.flags; the slot pushes the rest. */
    jmp     hypercall_page + __HYPERVISOR_iret * XEN_HYPERCALL_SLOT_SIZE

    .altmacro
    .macro  exception vector
guest_exception_\vector:
    popq    %rcx
    popq    %r11
    .if !((\vector == 8) || ((\vector >= 10) && (\vector <= 14)) || (\vector == 17) || (\vector == 21))
    pushq   $0
    .endif
    pushq   $\vector
    jmp     guest_exception
    .endm
    .set    number, 0
    .rept   32
    exception %number
    .set    number, number + 1
    .endr

guest_failsafe:
    popq    %rcx
    popq    %r11
    addq    $32, %rsp                       /* Four selectors. */
    pushq   $0
    pushq   $XG_GUEST_FAILSAFE

guest_exception:
    .irp    register, rdi, rsi, rdx, rcx, rax, r8, r9, r10, r11, rbx, rbp, r12, r13, r14, r15
    pushq   %\register
    .endr
    cld
    movq    %rsp, %rdi
    movq    %rsp, %rbp
    andq    $-16, %rsp
    call    guest_crash
    ud2

    .section .rodata
    .balign 8
    .globl  guest_entries
guest_entries:
    .macro  address vector
    .quad   guest_exception_\vector
    .endm
    .set    number, 0
    .rept   32
    address %number
    .set    number, number + 1
    .endr
    .quad   guest_failsafe

    .section .note.GNU-stack, "", @progbits
