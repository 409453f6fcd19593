/*
 * double ceil(double), for the standard library's hash tables, which size themselves by it. With
 * SSE off the compiler passes the number on the stack and wants the result in st(0), which C cannot
 * say.
 */
    .section .text.ceil, "ax"
    .globl  ceil
ceil:
    fldl    8(%rsp)
    subq    $8, %rsp
    fnstcw  (%rsp)
    movzwl  (%rsp), %eax
    andl    $0xf3ff, %eax
    orl     $0x0800, %eax           /* Round up. */
    movw    %ax, 4(%rsp)
    fldcw   4(%rsp)
    frndint
    fldcw   (%rsp)
    addq    $8, %rsp
    ret

    .section .note.GNU-stack, "", @progbits
