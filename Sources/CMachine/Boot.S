/*
 * From a boot loader to Swift.
 *
 * pvh_entry            started by QEMU -kernel and by Xen through the PVH note
 * multiboot_entry      started by GRUB's multiboot2, with the loader's magic number in %eax
 * In:  32-bit protected mode, no paging, interrupts off, %ebx = physical address of
 *      hvm_start_info or of multiboot 2's tags.
 * Out: rootstock_start(that address) in long mode at the image's address in the hole, on the boot
 *      stack; what it points to tells which it is. Page tables: the image, the first 4 GiB in the direct map, and the
 *      same 4 GiB at their physical addresses, which Swift takes away.
 *
 * This file is linked at its physical address; the rest of the image is not reachable from
 * 32-bit code.
 */
#include "include/layout.h"

#define PRESENT 0x1
#define WRITABLE 0x2
#define LARGE 0x80
#define GLOBAL 0x100
#define NO_EXECUTE_HIGH 0x80000000

        .section .note.Xen, "a", @note
        .balign 4
        .long   4, 8, 18                # XEN_ELFNOTE_PHYS32_ENTRY
        .asciz  "Xen"
        .quad   pvh_entry

        # Multiboot2 Specification 2.0, 3.1: within the first 32 KiB of the file.
#define MULTIBOOT_MAGIC 0xe85250d6
#define MULTIBOOT_LOADER_MAGIC 0x36d76289
        .section .multiboot, "a"
        .balign 8
multiboot_header:
        .long   MULTIBOOT_MAGIC, 0, multiboot_end - multiboot_header
        .long   -(MULTIBOOT_MAGIC + (multiboot_end - multiboot_header))
        .short  3, 0                    # where the loader goes
        .long   12, multiboot_entry, 0
        .short  6, 0                    # modules begin with a page
        .long   8
        .short  0, 0                    # no more
        .long   8
multiboot_end:

        .section .boot.text, "ax"
        .code32
multiboot_entry:
        cmpl    $MULTIBOOT_LOADER_MAGIC, %eax
        jne     stop
        .globl  pvh_entry
pvh_entry:
        cld
        cli
        movl    $xg_boot_stack_low, %esp
        movl    %ebx, %ebp

        # A processor without long mode or no-execute stops here: nothing can be said yet.
        movl    $0x80000001, %eax
        cpuid
        andl    $0x20100000, %edx
        cmpl    $0x20100000, %edx
        jne     stop

        # 4 GiB in large pages. The direct map and the boot mapping share these tables.
        movl    $xg_boot_l2, %edi
        movl    $(PRESENT | WRITABLE | LARGE), %eax
        movl    $2048, %ecx
1:      movl    %eax, (%edi)
        movl    $0, 4(%edi)
        addl    $0x200000, %eax
        addl    $8, %edi
        loop    1b

        movl    $(xg_boot_l2 + PRESENT + WRITABLE), %eax
        xorl    %ecx, %ecx
1:      movl    %eax, xg_boot_l3_direct(,%ecx,8)
        addl    $0x1000, %eax
        incl    %ecx
        cmpl    $4, %ecx
        jne     1b

        # The image, in small pages, so that each part gets its own permissions.
        movl    $(XG_IMAGE_PHYSICAL + PRESENT + WRITABLE + GLOBAL), %eax
        xorl    %ecx, %ecx
1:      movl    %eax, xg_boot_l1_image(,%ecx,8)
        addl    $0x1000, %eax
        incl    %ecx
        cmpl    $512, %ecx
        jne     1b
        movl    $(xg_boot_l1_image + PRESENT + WRITABLE), xg_boot_l2_image + 8
        movl    $(xg_boot_l2_image + PRESENT + WRITABLE), xg_boot_l3_hole + 321 * 8

        movl    $(xg_boot_l3_direct + PRESENT + WRITABLE), xg_boot_l4
        movl    $(xg_boot_l3_hole + PRESENT + WRITABLE), xg_boot_l4 + 261 * 8
        movl    $(xg_boot_l3_direct + PRESENT + WRITABLE), xg_boot_l4 + 262 * 8
        movl    $NO_EXECUTE_HIGH, xg_boot_l4 + 262 * 8 + 4

        movl    $0xa0, %eax             # CR4: PAE, PGE
        movl    %eax, %cr4
        movl    $xg_boot_l4, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx       # EFER: SCE, LME, NXE
        rdmsr
        orl     $0x901, %eax
        wrmsr
        movl    $0x80010033, %eax       # CR0: PG, WP, NE, ET, MP, PE
        movl    %eax, %cr0
        lgdt    boot_gdt_register
        ljmp    $8, $long_mode

stop:   hlt
        jmp     stop

        .code64
long_mode:
        xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %eax, %fs
        movl    %eax, %gs
        movl    %ebp, %edi
        movabsq $xg_start_high, %rax
        jmpq    *%rax

        .section .boot.data, "aw"
        .balign 16
boot_gdt:
        .quad   0, 0x00af9b000000ffff
boot_gdt_register:
        .word   15
        .long   boot_gdt

        .section .boot.bss, "aw", @nobits
        .balign 4096
        .globl  xg_boot_l4, xg_boot_l3_hole, xg_boot_l3_direct, xg_boot_l1_image
xg_boot_l4:             .skip 4096
xg_boot_l3_hole:        .skip 4096
xg_boot_l3_direct:      .skip 4096
xg_boot_l2:             .skip 4 * 4096
xg_boot_l2_image:       .skip 4096
xg_boot_l1_image:       .skip 4096
        .skip   256
xg_boot_stack_low:

        .text
xg_start_high:
        leaq    boot_stack_top(%rip), %rsp
        xorl    %ebp, %ebp
        call    rootstock_start
        ud2

        .bss
        .balign XG_BLOCK_SIZE
        # Masking the stack pointer gives this block's beginning, whose zeroes are CPU 0's data
        # until it has a block of its own.
        .skip   XG_BLOCK_SIZE
boot_stack_top:
        .section .note.GNU-stack, "", @progbits
