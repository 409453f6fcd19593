/* The beginning of a program: rdi = number of arguments, rsi = their addresses. */
    .section .text, "ax"
    .globl  start
start:
    xorl    %ebp, %ebp
    andq    $-16, %rsp
    call    main
    movl    %eax, %edi
    call    exit
    ud2

    .section .note.GNU-stack, "", @progbits
