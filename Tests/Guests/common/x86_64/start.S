/*
 * guest_entry: the hypervisor's loader jumps here.
 * In:  64-bit mode in ring 3, flat segments, the loader's page tables, %rsi = start_info (virtual),
 *      events masked, %rsp = a stack of the loader's that is too small for tests.
 * Out: does not return; guest_start(start_info) in start.c goes on.
 */
#include "xenabi.h"

    .section .text, "ax"
    .globl guest_entry
guest_entry:
    cld
    leaq    kernel_stack_end(%rip), %rsp
    xorl    %ebp, %ebp
    movq    %rsi, %rdi
    call    guest_start
    ud2

/* The loader writes one 32-byte slot per hypercall here. */
    .section .text.hypercall, "ax"
    .balign XEN_HYPERCALL_PAGE_SIZE
    .globl hypercall_page
hypercall_page:
    .skip   XEN_HYPERCALL_PAGE_SIZE, 0xcc

    .section .bss
    .balign 4096
    .globl kernel_stack, kernel_stack_end
kernel_stack:
    .skip   8 * 4096
kernel_stack_end:

/* What the image tells its loader. */
    .macro note type, kind:req, value:vararg
    .pushsection .note.xen, "a", @note
    .balign 4
    .long   4, 2f - 1f, \type
    .asciz  "Xen"
1:  \kind   \value
2:  .balign 4
    .popsection
    .endm

    note XEN_ELFNOTE_XEN_VERSION, .asciz, "xen-3.0"
    note XEN_ELFNOTE_GUEST_OS, .asciz, "xenograft-guest"
    note XEN_ELFNOTE_LOADER, .asciz, "generic"
    note XEN_ELFNOTE_VIRT_BASE, .quad, GUEST_VIRT_BASE
    note XEN_ELFNOTE_ENTRY, .quad, guest_entry
    note XEN_ELFNOTE_HYPERCALL_PAGE, .quad, hypercall_page
    note XEN_ELFNOTE_FEATURES, .asciz, "pae_pgdir_above_4gb|dom0"
    note XEN_ELFNOTE_PAE_MODE, .asciz, "yes"

    .section .note.GNU-stack, "", @progbits
