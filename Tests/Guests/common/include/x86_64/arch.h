/* What a guest of 64 bits has of its own: frames, places in the address space, its top table. */
#ifndef GUEST_ARCH_H
#define GUEST_ARCH_H

#define GUEST_VIRT_BASE 0xffffffff80000000ul
#define PAGING_LEVELS 4
/* An entry of the page of the top table that maps nothing. */
#define TOP_SPARE 100
/* The last entry of the top table that is the guest's, and one that is empty at the start. */
#define TOP_LAST 511
#define TOP_FREE 20
/* Tables up to this level are valid when they are empty. */
#define EMPTY_LEVELS 4
#define PIN_TOP_TABLE MMUEXT_PIN_L4_TABLE

/* Places that the guest leaves empty, in one slot of the top table each. */
#define GRANT_TABLE 0x0000500000000000ul
/* From here on pages of others are mapped. */
#define FRAMES_WINDOW (GUEST_VIRT_BASE + 0x40000000ul)
#define ISLAND 0x0000600000000000ul
/* An address that nothing is mapped at, for arguments that must answer -EFAULT. */
#define UNMAPPED_ADDRESS 0x0000700000000000ul
/* An address in the hypervisor's part of the address space. */
#define HYPERVISOR_ADDRESS (HYPERVISOR_VIRT_START + 0x8000000000ul)
/* Another one, where Xen's own code lies, and as assembly has it. */
#define HYPERVISOR_IMAGE 0xffff82d040200000ul
#define HYPERVISOR_TEXT "0xffff82d040200000"
#define NON_CANONICAL_ADDRESS 0x0000800000000000ul

/* Size of struct trap_frame, which the stubs build. */
#define TRAP_FRAME_SIZE 176
/* A word for an address, in assembly text. */
#define ADDRESS_WORD ".quad"
/* Registers as wide as an address, in assembly text. */
#define AX "rax"
#define BX "rbx"
#define CX "rcx"
#define DX "rdx"
#define SI "rsi"
#define DI "rdi"
#define BP "rbp"
#define SP "rsp"
/* How user mode asks its kernel, in assembly text. */
#define SYSTEM_CALL "syscall"

/* A place that maps nothing at the start, for tests that map there. */
#define FREE_ADDRESS 0x10000000000ul
/* A top table's frame in the form of CR3. */
#define CR3_OF(frame) ((frame) << XEN_PAGE_SHIFT)
#define CR3_FRAME(cr3) ((cr3) >> XEN_PAGE_SHIFT)
/* A frame that no machine has. */
#define FRAME_BEYOND 0xffffffffful
/* The saved upcall mask of a frame, and the selector that frames of the kernel show. */
#define FRAME_MASK(frame) ((frame).cs >> 32 & 0xff)
#define FRAME_KERNEL_CS (FLAT_KERNEL_CS & ~3ul)
/* An entry as callback_op takes it. */
#define ENTRY_POINT(entry) ((unsigned long)(entry))

/* High half of the wall clock's seconds. */
#define WALL_CLOCK_HIGH(shared) ((shared)->wc_sec_hi)

#ifndef __ASSEMBLER__
#include <stdint.h>

/* What the stubs in traps.S leave on the stack: registers, then Xen's frame. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector;     /* Exception, or an ENTRY number. */
    uint64_t error_code; /* 0 where the exception has none. */
    uint64_t rip;
    uint64_t cs; /* Bits 32 to 39: the saved upcall mask. */
    uint64_t rflags, rsp, ss;
};
#endif

#endif /* GUEST_ARCH_H */
