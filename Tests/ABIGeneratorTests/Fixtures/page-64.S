# A hypercall page that keeps what the registers held, destroys them as a debugging build of the
# hypervisor does, and answers -7.
        .text
        .balign 4096
        .globl hypercall_page
hypercall_page:
        .set slot, 0
        .rept 128
        .balign 32
        movl $slot, %eax
        jmp capture
        .set slot, slot + 1
        .endr
        .balign 32
capture:
        movq %rax, captured(%rip)
        movq %rdi, captured+8(%rip)
        movq %rsi, captured+16(%rip)
        movq %rdx, captured+24(%rip)
        movq %r10, captured+32(%rip)
        movq %r8, captured+40(%rip)
        movq $-1, %rdi
        movq $-1, %rsi
        movq $-1, %rdx
        movq $-1, %r10
        movq $-1, %r8
        movq $-1, %rcx
        movq $-1, %r11
        movq $-7, %rax
        ret
        .bss
        .globl captured
        .balign 8
captured:
        .skip 64
        .section .note.GNU-stack,"",@progbits
