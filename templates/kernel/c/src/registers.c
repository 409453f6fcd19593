/* The registers of a trap, for people. */
#include "console.h"
#include "machine.h"

void registers_print(const struct trap_frame *frame)
{
    print("rip %lx cs %lx rflags %lx\n", frame->rip, frame->cs & 0xffff, frame->rflags);
    print("rax %lx rbx %lx rcx %lx rdx %lx\n", frame->rax, frame->rbx, frame->rcx, frame->rdx);
    print("rsi %lx rdi %lx rbp %lx rsp %lx ss %lx\n", frame->rsi, frame->rdi, frame->rbp, frame->rsp,
          frame->ss);
    print("r8 %lx r9 %lx r10 %lx r11 %lx\n", frame->r8, frame->r9, frame->r10, frame->r11);
    print("r12 %lx r13 %lx r14 %lx r15 %lx\n", frame->r12, frame->r13, frame->r14, frame->r15);
}
