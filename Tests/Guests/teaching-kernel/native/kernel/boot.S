/*
 * From the loader to C. The loader (QEMU's -kernel, or another that knows the PVH note below)
 * enters `start` in 32-bit protected mode: flat segments, paging off, interrupts off, %ebx = the
 * physical address of struct boot_info (memory.c). No stack.
 */
#include "layout.h"

#define PHYSICAL(symbol) ((symbol) - KERNEL_BASE)

#define CR0_PAGING_WP_PE 0x80010001
#define CR4_PAE_PGE 0xa0
#define MSR_EFER 0xc0000080
#define EFER_LONG_MODE 0x100
#define LARGE_PAGE 0x83         /* present, writable, 2 MiB */
#define TABLE 0x03

    .section .text.start, "ax"
    .code32
    .globl  start
start:
    cli
    cld
    movl    %ebx, %edi

    movl    $CR4_PAE_PGE, %eax
    movl    %eax, %cr4
    movl    $PHYSICAL(boot_top), %eax
    movl    %eax, %cr3
    movl    $MSR_EFER, %ecx
    rdmsr
    orl     $EFER_LONG_MODE, %eax
    wrmsr
    movl    %cr0, %eax
    orl     $CR0_PAGING_WP_PE, %eax
    movl    %eax, %cr0

    lgdt    PHYSICAL(boot_gdt_pointer)
    ljmp    $KERNEL_CS, $PHYSICAL(1f)

    .code64
1:  movl    $KERNEL_SS, %eax
    movl    %eax, %ss
    movl    %eax, %ds
    movl    %eax, %es
    movq    $2f, %rax               /* From here on at the address that the image is linked at. */
    jmpq    *%rax
2:  leaq    boot_stack_end(%rip), %rsp
    xorl    %ebp, %ebp
    call    kernel_main
    ud2

/*
 * The first page tables: 1 GiB of physical memory, at 0 for the jump above and at KERNEL_BASE.
 * Address 0 goes through entry 0 of both tables, KERNEL_BASE through 511 and 510.
 */
    .section .data
    .balign 4096
boot_top:
    .quad   PHYSICAL(boot_directories) + TABLE
    .fill   510, 8, 0
    .quad   PHYSICAL(boot_directories) + TABLE
boot_directories:
    .quad   PHYSICAL(boot_pages) + TABLE
    .fill   509, 8, 0
    .quad   PHYSICAL(boot_pages) + TABLE
    .quad   0
boot_pages:
    .set    page, 0
    .rept   512
    .quad   page * 0x200000 + LARGE_PAGE
    .set    page, page + 1
    .endr

    .balign 8
boot_gdt:
    .quad   0
    .quad   0x00af9a000000ffff      /* KERNEL_CS: 64-bit code */
    .quad   0x00cf92000000ffff      /* KERNEL_SS */
boot_gdt_pointer:
    .word   . - boot_gdt - 1
    .quad   PHYSICAL(boot_gdt)

    .section .bss
    .balign 16
    .skip   16384
    .globl  boot_stack_end
boot_stack_end:

/* Where to enter: note type 18 of owner "Xen", which PVH loaders look for. */
    .section .note.loader, "a", @note
    .balign 4
    .long   4, 8, 18
    .asciz  "Xen"
    .quad   PHYSICAL(start)

    .section .note.GNU-stack, "", @progbits
