/* What a guest of 32 bits has of its own: frames, places in the address space, its top table. */
#ifndef GUEST_ARCH_H
#define GUEST_ARCH_H

#define GUEST_VIRT_BASE 0xc0000000ul
#define PAGING_LEVELS 3
/* A word of the page of the top table behind its four entries. */
#define TOP_SPARE 5
/* The last entry of the top table that is the guest's, and one that is empty at the start. */
#define TOP_LAST 3
#define TOP_FREE 2
/* Tables up to this level are valid when they are empty: a top table has to have its last entry. */
#define EMPTY_LEVELS 2
#define PIN_TOP_TABLE MMUEXT_PIN_L3_TABLE
/* A command of 64 bits, for attacks that try it all the same. */
#define MMUEXT_NEW_USER_BASEPTR 15

/* Places that the guest leaves empty, in one slot of the top table each or a table of their own. */
#define GRANT_TABLE 0x50000000ul
/* From here on pages of others are mapped. */
#define FRAMES_WINDOW 0x80000000ul
#define ISLAND 0x60000000ul
/* An address that nothing is mapped at, for arguments that must answer -EFAULT. */
#define UNMAPPED_ADDRESS 0x70000000ul
/* An address in the hypervisor's part of the address space, wherever that begins. */
#define HYPERVISOR_ADDRESS 0xfe000000ul
/* Another one, and as assembly has it. */
#define HYPERVISOR_IMAGE 0xff800000ul
#define HYPERVISOR_TEXT "0xff800000"
/* Every address is canonical: attacks take the last page, which no segment of a guest reaches. */
#define NON_CANONICAL_ADDRESS 0xfffff000ul
/* Where the hypervisor's part ends, less a page, since the address behind it does not exist. */
#define HYPERVISOR_VIRT_END 0xfffff000ul

/* Size of struct trap_frame, which the stubs build. */
#define TRAP_FRAME_SIZE 64
/* A word for an address, in assembly text. */
#define ADDRESS_WORD ".long"
/* Registers as wide as an address, in assembly text. */
#define AX "eax"
#define BX "ebx"
#define CX "ecx"
#define DX "edx"
#define SI "esi"
#define DI "edi"
#define BP "ebp"
#define SP "esp"
/* How user mode asks its kernel, in assembly text. */
#define SYSTEM_CALL "int $0x80"

/* A place that maps nothing at the start, for tests that map there. */
#define FREE_ADDRESS 0x10000000ul
/* A top table's frame in the form of CR3, rotated so that frames above 4 GB have one, too. */
#define CR3_OF(frame) ((uint32_t)((frame) << XEN_PAGE_SHIFT | (frame) >> (32 - XEN_PAGE_SHIFT)))
#define CR3_FRAME(cr3) ((cr3) >> XEN_PAGE_SHIFT | ((cr3) & (PAGE_SIZE - 1)) << (32 - XEN_PAGE_SHIFT))
/* A frame that no machine has. */
#define FRAME_BEYOND 0x7ffffffful
/* The saved upcall mask of a frame, and the selector that frames of the kernel show. */
#define FRAME_MASK(frame) ((frame).cs >> 16 & 0xff)
#define FRAME_KERNEL_CS FLAT_KERNEL_CS
/* An entry as callback_op takes it. */
#define ENTRY_POINT(entry) ((struct xen_callback){FLAT_KERNEL_CS, (unsigned long)(entry)})

/* High half of the wall clock's seconds. */
#define WALL_CLOCK_HIGH(shared) ((shared)->arch.wc_sec_hi)

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
