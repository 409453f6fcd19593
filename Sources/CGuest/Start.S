/*
 * guest_entry: the loader jumps here, in 64-bit mode of ring 3, on its page tables, events masked,
 * %rsi = start_info. Does not return. The notes tell the loader about the image: abi/elf-notes.yaml.
 */
#include "xenabi.h"
#include "guest_layout.h"

    .section .text.start, "ax"
    .balign XEN_HYPERCALL_PAGE_SIZE
    .globl  hypercall_page
hypercall_page:                     /* The loader writes one slot of 32 bytes a hypercall. */
    .skip   XEN_HYPERCALL_PAGE_SIZE, 0xcc

    .globl  guest_entry
guest_entry:
    cld
    leaq    guest_stack_end(%rip), %rsp
    xorl    %ebp, %ebp
    movq    %rsi, %rdi
    call    guest_main
    ud2

    .section .bss
    .balign 4096
    .globl  guest_shared_page
guest_shared_page:
    .skip   4096
guest_stack:
    .skip   XG_GUEST_STACK_SIZE
guest_stack_end:

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
    note XEN_ELFNOTE_GUEST_OS, .asciz, "xenograft"
    note XEN_ELFNOTE_LOADER, .asciz, "generic"
    note XEN_ELFNOTE_VIRT_BASE, .quad, XG_GUEST_BASE
    note XEN_ELFNOTE_ENTRY, .quad, guest_entry
    note XEN_ELFNOTE_HYPERCALL_PAGE, .quad, hypercall_page
    note XEN_ELFNOTE_FEATURES, .asciz, "pae_pgdir_above_4gb|dom0"
    note XEN_ELFNOTE_PAE_MODE, .asciz, "yes"

    .section .note.GNU-stack, "", @progbits
