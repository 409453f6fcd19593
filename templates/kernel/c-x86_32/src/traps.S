/*
 * Entries. There is no interrupt descriptor table: the hypervisor takes the exception and calls the
 * handler of set_trap_table, with this on the stack:
 *     %esp -> [error code], eip, cs, eflags, and of a trap from ring 3 esp, ss
 */
#include "xenabi.h"

    .section .text, "ax"

/* Makes every entry alike: an error code and a vector on the stack. */
    .macro entry vector, has_code
    .balign 16
    .if \has_code == 0
    pushl   $0
    .endif
    pushl   $\vector
    jmp     common_entry
    .endm

/* Exceptions 0 to 31, 16 bytes each, so that traps.c can compute an entry's address. */
    .balign 16
    .globl  exception_entries
exception_entries:
    .set    vector, 0
    .rept   32
    .if     vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
    entry   vector, 1
    .else
    entry   vector, 0
    .endif
    .set    vector, vector + 1
    .endr

    .globl  event_entry
    .balign 16
event_entry:
    entry   256, 0

    .globl  failsafe_entry
    .balign 16
failsafe_entry:
    addl    $16, %esp               /* ds, es, fs, gs: which one was bad is not told. */
    pushl   $0
    pushl   $257
    jmp     common_entry

common_entry:
    .irp    register, eax, ecx, edx, ebx, ebp, esi, edi, es, ds
    pushl   %\register
    .endr
    movl    $FLAT_KERNEL_DS, %eax   /* Data segments stay the interrupted code's until here. */
    movl    %eax, %ds
    movl    %eax, %es
    cld
    movl    %esp, %ebx
    andl    $-16, %esp
    subl    $12, %esp
    pushl   %ebx                    /* struct trap_frame * */
    call    trap_handle
    movl    %ebx, %esp
    .irp    register, ds, es, edi, esi, ebp, ebx, edx, ecx, eax
    popl    %\register
    .endr
    addl    $8, %esp                /* vector, error code */
    /* iret outside ring 0 would not restore the mask of events: the hypercall does both. It wants
     * eip, cs, eflags and for ring 3 esp, ss on the stack; its entry in the page pushes %eax, which
     * it takes as well. It never returns. */
    jmp     hypercall_page + __HYPERVISOR_iret * 32

    .section .note.GNU-stack, "", @progbits
