/*
 * Entry of the sample kernel. A loader leaves the processor in long mode with the first memory mapped; here the
 * kernel takes the machine over as kernels do: its own descriptor tables, its own stack, then C.
 */
        .section .text.start, "ax"
        .globl  start
        .type   start, @function
start:
        cli
        lgdt    gdt_pointer(%rip)
        leaq    stack_top(%rip), %rsp
        pushq   $0x08
        leaq    1f(%rip), %rax
        pushq   %rax
        lretq
1:      movl    $0x10, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        call    kernel_main
2:      hlt
        jmp     2b
        .size   start, . - start

/* Every vector ends here: save, tell C, return to where it was. */
        .globl  interrupt_entry
        .type   interrupt_entry, @function
interrupt_entry:
        testb   $3, 8(%rsp)
        jz      1f
        swapgs
1:      pushq   %rax
        pushq   %rcx
        pushq   %rdx
        pushq   %rdi
        pushq   %rsi
        call    interrupt
        popq    %rsi
        popq    %rdi
        popq    %rdx
        popq    %rcx
        popq    %rax
        testb   $3, 8(%rsp)
        jz      1f
        swapgs
1:      iretq
        .size   interrupt_entry, . - interrupt_entry

        .globl  system_call_entry
        .type   system_call_entry, @function
system_call_entry:
        swapgs
        pushq   %rcx
        pushq   %r11
        call    system_call
        popq    %r11
        popq    %rcx
        swapgs
        sysretq
        .size   system_call_entry, . - system_call_entry

        .section .rodata
        .balign 8
gdt:    .quad   0
        .quad   0x00af9a000000ffff
        .quad   0x00cf92000000ffff
gdt_pointer:
        .word   . - gdt - 1
        .quad   gdt

        .bss
        .balign 16
        .skip   16384
stack_top:

        .section .note.GNU-stack, "", @progbits
