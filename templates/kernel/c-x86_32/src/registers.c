/* The registers of a trap, for people. */
#include "console.h"
#include "machine.h"

void registers_print(const struct trap_frame *frame)
{
    print("eip %x cs %x eflags %x\n", frame->eip, frame->cs & 0xffff, frame->eflags);
    print("eax %x ebx %x ecx %x edx %x\n", frame->eax, frame->ebx, frame->ecx, frame->edx);
    print("esi %x edi %x ebp %x ds %x es %x\n", frame->esi, frame->edi, frame->ebp,
          frame->ds & 0xffff, frame->es & 0xffff);
    /* From our own ring the processor pushes no stack pointer: it is where the frame ends. */
    if ((frame->cs & 3) == 3)
        print("esp %x ss %x\n", frame->esp, frame->ss & 0xffff);
    else
        print("esp %p\n", (const void *)&frame->esp);
}
