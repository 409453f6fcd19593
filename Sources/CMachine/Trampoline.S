/*
 * From the INIT-SIPI-SIPI of a further CPU to Swift. Processors.swift copies this code to
 * XG_TRAMPOLINE, below 1 MiB, and fills in the last two words.
 *
 * In:  16-bit real mode at XG_TRAMPOLINE, interrupts off, nothing else known.
 * Out: rootstock_start_processor(index) in long mode, on the main stack of the CPU's own block,
 *      with page tables of Processors.swift's that map this code at its physical address too.
 */
#include "include/layout.h"

#define HERE(symbol) (XG_TRAMPOLINE + (symbol) - xg_trampoline_start)

        .section .rodata
        .balign 16
        .globl  xg_trampoline_start, xg_trampoline_end
xg_trampoline_start:
        .code16
        cli
        cld
        xorw    %ax, %ax
        movw    %ax, %ds
        lgdtl   HERE(gdt_register)
        movl    $0x11, %eax             # CR0: ET, PE
        movl    %eax, %cr0
        ljmpl   $8, $HERE(protected)

        .code32
protected:
        movl    $0x10, %eax
        movl    %eax, %ds
        movl    $0xa0, %eax             # CR4: PAE, PGE
        movl    %eax, %cr4
        movl    HERE(table), %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx       # EFER: SCE, LME, NXE
        rdmsr
        orl     $0x901, %eax
        wrmsr
        movl    $0x80010033, %eax       # CR0: PG, WP, NE, ET, MP, PE
        movl    %eax, %cr0
        ljmpl   $0x18, $HERE(long)

        .code64
long:
        xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %eax, %fs
        movl    %eax, %gs
        movq    HERE(index), %rdi
        movabsq $(XG_PERCPU_BASE + XG_BLOCK_SIZE - 256), %rsp
        movq    %rdi, %rax
        imulq   $XG_BLOCK_SIZE, %rax
        addq    %rax, %rsp
        xorl    %ebp, %ebp
        movq    HERE(entry), %rax
        callq   *%rax
        ud2

        .balign 16
gdt:
        .quad   0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
gdt_register:
        .word   31
        .long   HERE(gdt)
        .balign 8
        # Filled in by Processors.swift: the top table, rootstock_start_processor, the CPU's number.
table:  .quad   0
entry:  .quad   0
index:  .quad   0
xg_trampoline_end:
        .section .note.GNU-stack, "", @progbits
