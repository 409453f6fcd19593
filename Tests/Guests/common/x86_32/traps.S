/*
 * Entries of the guest's kernel, in ring 1. Xen calls them with its frame on the stack:
 *
 *      %esp -> [error code], eip, cs, eflags, and from ring 3 esp, ss
 *
 * (the failsafe entry has ds, es, fs, gs before eip). Each stub completes that to a
 * struct trap_frame (arch.h), calls trap_dispatch in traps.c and leaves by the iret hypercall.
 */
#include "xenabi.h"
#include "arch.h"
#include "entries.h"

#define FRAME_VECTOR 36
#define FRAME_RIP 44
#define FRAME_CS 48
#define FRAME_RFLAGS 52
#define FRAME_RSP 56

    .section .text, "ax"

    .macro entry_with_code name, vector
    .globl  \name
\name:
    pushl   $\vector
    jmp     enter
    .endm

    .macro entry_without_code name, vector
    .globl  \name
\name:
    pushl   $0
    pushl   $\vector
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
    addl    $16, %esp               /* The four selectors. */
    pushl   $0
    pushl   $ENTRY_FAILSAFE
    jmp     enter

/* In: %esp -> vector, error code, eip, cs, eflags, [esp, ss]. */
enter:
    testb   $2, 12(%esp)
    jnz     1f
    /*
     * From ring 1: a second frame below the first, with the stack pointer and segment that the
     * processor did not push. The old words stay for leave_to_frame, which writes there.
     */
    pushl   %ss
    pushl   %esp
    addl    $24, (%esp)
    .rept   5                       /* eflags, cs, eip, error code, vector */
    pushl   24(%esp)
    .endr
1:  pushl   %eax
    pushl   %ecx
    pushl   %edx
    pushl   %ebx
    pushl   %ebp
    pushl   %esi
    pushl   %edi
    pushl   %ds
    pushl   %es
    movl    $FLAT_KERNEL_DS, %eax
    movl    %eax, %ds
    movl    %eax, %es
    cld
    movl    %esp, %ebp
    andl    $-16, %esp
    subl    $12, %esp
    pushl   %ebp
    call    trap_dispatch
    movl    %ebp, %esp

/*
 * In: %esp = a struct trap_frame. Loads all of it and goes there. A return to ring 1 takes no stack
 * pointer out of the hypercall's frame: that frame goes onto the target's own stack.
 */
    .globl  leave_to_frame
leave_to_frame:
    testb   $2, FRAME_CS(%esp)
    jnz     1f
    movl    FRAME_RSP(%esp), %eax
    subl    $12, %eax
    movl    FRAME_RIP(%esp), %ecx
    movl    FRAME_CS(%esp), %edx
    movl    FRAME_RFLAGS(%esp), %ebx
    movl    %ecx, (%eax)
    movl    %edx, 4(%eax)
    movl    %ebx, 8(%eax)
    movl    %eax, FRAME_VECTOR(%esp)
    jmp     2f
1:  leal    FRAME_RIP(%esp), %eax
    movl    %eax, FRAME_VECTOR(%esp)
2:  popl    %es
    popl    %ds
    popl    %edi
    popl    %esi
    popl    %ebp
    popl    %ebx
    popl    %edx
    popl    %ecx
    popl    %eax
    movl    (%esp), %esp
    jmp     hypercall_page + __HYPERVISOR_iret * XEN_HYPERCALL_SLOT_SIZE /* pushes %eax itself */

/*
 * void user_enter(const struct trap_frame *frame), called by user_run in user.c.
 * Keeps the kernel's context and goes to the frame; user_leave comes back from here.
 */
    .globl  user_enter
user_enter:
    movl    4(%esp), %eax
    pushl   %ebx
    pushl   %ebp
    pushl   %esi
    pushl   %edi
    movl    %esp, user_kernel_esp
    subl    $TRAP_FRAME_SIZE, %esp
    movl    %eax, %esi
    movl    %esp, %edi
    movl    $TRAP_FRAME_SIZE / 4, %ecx
    rep     movsl
    jmp     leave_to_frame

/* Called by trap_dispatch, on whatever stack, when user mode has come to its end. */
    .globl  user_leave
user_leave:
    movl    user_kernel_esp, %esp
    popl    %edi
    popl    %esi
    popl    %ebp
    popl    %ebx
    ret

    .section .rodata
    .balign 4
    .globl  trap_entries
trap_entries:
    .altmacro
    .macro  address vector
    .long   trap_entry_\vector
    .endm
    .set    number, 0
    .rept   32
    address %number
    .set    number, number + 1
    .endr
    .noaltmacro

    .section .bss
    .balign 4
user_kernel_esp:
    .skip   4

    .section .note.GNU-stack, "", @progbits
