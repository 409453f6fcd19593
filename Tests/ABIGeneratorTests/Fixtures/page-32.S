# The same for x86_32.
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
        movl %eax, captured
        movl %ebx, captured+4
        movl %ecx, captured+8
        movl %edx, captured+12
        movl %esi, captured+16
        movl %edi, captured+20
        movl $-7, %eax
        movl $-1, %ecx
        movl $-1, %edx
        movl $-1, %esi
        movl $-1, %edi
        movl $-1, %ebx
        ret
        .bss
        .globl captured
        .balign 8
captured:
        .skip 64
        .section .note.GNU-stack,"",@progbits
