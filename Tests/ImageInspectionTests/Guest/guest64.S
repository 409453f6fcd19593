# The smallest PV guest: prints a line by console_io and powers off by sched_op. Independent of its
# address, so that the test can put it anywhere. The page behind it is for the hypercall page.
#
# Entered by Xen's domain builder in 64-bit mode, ring 3, %rsp at the top of a bootstrap page.

        .text
        .globl  _start
_start: lea     page(%rip), %rbx
        mov     $18, %eax               # console_io
        xor     %edi, %edi              # CONSOLEIO_write
        mov     $(text_end - text), %esi
        lea     text(%rip), %rdx
        call    hypercall
        mov     $29, %eax               # sched_op
        mov     $2, %edi                # SCHEDOP_shutdown
        lea     reason(%rip), %rsi
        call    hypercall
1:      jmp     1b

# Through the page where the loader has filled it, by the instruction that it would hold otherwise.
hypercall:
        cmpl    $0, (%rbx)
        je      1f
        shl     $5, %eax
        add     %rbx, %rax
        jmp     *%rax
1:      syscall
        ret

text:   .ascii  "inspected guest runs\n"
text_end:
        .balign 4
reason: .long   0                       # SHUTDOWN_poweroff
        .org    0x1000
page:
