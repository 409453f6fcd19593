/* What a guest of 32 bits has of its own: frames, places in the address space, its top table. */
#ifndef GUEST_ARCH_H
#define GUEST_ARCH_H

#define GUEST_VIRT_BASE 0xc0000000ul
#define PAGING_LEVELS 3
/* A word of the page of the top table behind its four entries. */
#define TOP_SPARE 5

/* Places that the guest leaves empty, in one slot of the top table each or a table of their own. */
#define GRANT_TABLE 0x50000000ul
#define ISLAND 0x60000000ul
/* An address that nothing is mapped at, for arguments that must answer -EFAULT. */
#define UNMAPPED_ADDRESS 0x70000000ul
/* An address in the hypervisor's part of the address space, wherever that begins. */
#define HYPERVISOR_ADDRESS 0xfe000000ul

/* Size of struct trap_frame, which the stubs build. */
#define TRAP_FRAME_SIZE 64
/* A word for an address, in assembly text. */
#define ADDRESS_WORD ".long"
/* How user mode asks its kernel, in assembly text. */
#define SYSTEM_CALL "int $0x80"

#ifndef __ASSEMBLER__
#include <stdint.h>

/*
 * What the stubs in traps.S leave on the stack: registers, then Xen's frame, to which they add rsp
 * and ss where the trap came from ring 1. Registers have the names of 64 bits, so that tests serve
 * both.
 */
struct trap_frame {
    uint32_t es, ds;
    uint32_t rdi, rsi, rbp, rbx, rdx, rcx, rax;
    uint32_t vector;     /* Exception, or an ENTRY number. */
    uint32_t error_code; /* 0 where the exception has none. */
    uint32_t rip;
    uint32_t cs; /* Bits 16 to 23: the saved upcall mask. */
    uint32_t rflags, rsp, ss;
};
#endif

#endif /* GUEST_ARCH_H */
