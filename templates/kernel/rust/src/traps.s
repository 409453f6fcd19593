# Entries. There is no interrupt descriptor table: the hypervisor takes the exception and calls the
# handler of set_trap_table, with this on the stack:
#     %rsp -> rcx, r11, [error code], rip, cs, rflags, rsp, ss
# rcx and r11 are there because the way back from the hypervisor (sysret) destroys them.

# Makes every entry alike: rcx and r11 in their registers, an error code and a vector on the stack.
    .macro entry vector, has_code
    .balign 16
    popq    %rcx
    popq    %r11
    .if \has_code == 0
    pushq   $0
    .endif
    pushq   $\vector
    jmp     common_entry
    .endm

    .section .text.entries, "ax"
# Exceptions 0 to 31, 16 bytes each, so that traps.rs can compute an entry's address.
    .balign 16
    .globl  exception_entries
exception_entries:
    .set    vector, 0
    .rept   32
    .if     vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21
    entry   vector, 1
    .else
    entry   vector, 0
    .endif
    .set    vector, vector + 1
    .endr

    .globl  event_entry
    .balign 16
event_entry:
    entry   256, 0

    .globl  failsafe_entry
    .balign 16
failsafe_entry:
    popq    %rcx
    popq    %r11
    addq    $32, %rsp               # ds, es, fs, gs: which one was bad is not told.
    pushq   $0
    pushq   $257
    jmp     common_entry

common_entry:
    .irp    register, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11, rbx, rbp, r12, r13, r14, r15
    pushq   %\register
    .endr
    cld
    movq    %rsp, %rbx
    movq    %rsp, %rdi              # *const TrapFrame
    subq    $512, %rsp              # The compiler uses SSE registers, in handlers as well.
    andq    $-16, %rsp
    fxsave64 (%rsp)
    call    trap_handle
    fxrstor64 (%rsp)
    movq    %rbx, %rsp
    .irp    register, r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax
    popq    %\register
    .endr
    addq    $16, %rsp               # vector, error code
    # iret outside ring 0 would not restore the mask of events: the hypercall does both. It wants
    # flags, rip, cs, rflags, rsp, ss on the stack, and never returns.
    pushq   $0
    jmp     hypercall_page + {iret} * 32
    .text
