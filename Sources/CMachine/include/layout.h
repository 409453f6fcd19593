/*
 * Where everything lies in the hypervisor's hole, 0xffff800000000000 to 0xffff87ffffffffff
 * (top-level slots 256 to 271). Read by C, by assembly, by the linker's script and by Swift.
 *
 *   ffff800000000000  slot 256  M2P table, read-only for guests
 *   ffff82d040200000  slot 261  Rootstock's image
 *   ffff82d080000000            per-CPU blocks, 128 KiB each, aligned to their size
 *   ffff82d0c0000000            per-CPU windows on a vcpu's GDT, 64 KiB each
 *   ffff82d0e0000000            per-CPU windows on a vcpu's LDT, 64 KiB each
 *   ffff830000000000  slot 262  direct map of all memory
 */
#ifndef XG_LAYOUT_H
#define XG_LAYOUT_H

#define XG_HOLE_START 0xffff800000000000
#define XG_HOLE_END 0xffff880000000000
#define XG_HOLE_FIRST_SLOT 256
#define XG_HOLE_SLOTS 16
#define XG_M2P_BASE 0xffff800000000000
#define XG_IMAGE_BASE 0xffff82d040200000
#define XG_IMAGE_PHYSICAL 0x200000
#define XG_PERCPU_BASE 0xffff82d080000000
#define XG_GDT_BASE 0xffff82d0c0000000
#define XG_LDT_BASE 0xffff82d0e0000000
/* Where further CPUs begin: a page below 1 MiB, whose number is the vector of their SIPI. */
#define XG_TRAMPOLINE 0x8000
#define XG_DIRECT_BASE 0xffff830000000000

/*
 * A per-CPU block. The stacks grow down; a page that is not mapped lies below each.
 * All stacks of a CPU lie in its block, so masking the stack pointer finds the data.
 *
 *   0000  struct xg_percpu     0800  its part of the core lock
 *                              b000  main stack, 84 KiB
 *   1000  syscall's stub       9000  stack of #DB
 *   3000  stack of NMI         7000  stack of #MC
 *   5000  stack of #DF
 */
#define XG_BLOCK_SIZE 0x20000
#define XG_BLOCK_CORE_LOCK 0x800
#define XG_BLOCK_STUB 0x1000
#define XG_BLOCK_NMI_STACK 0x3000
#define XG_BLOCK_DF_STACK 0x5000
#define XG_BLOCK_MC_STACK 0x7000
#define XG_BLOCK_DB_STACK 0x9000
#define XG_BLOCK_MAIN_STACK 0xb000

/* Selectors. The ABI fixes the four of guests; the others lie in the same reserved page. */
#define XG_CS 0xe008
#define XG_SS 0xe010
#define XG_TSS 0xe040
#define XG_LDT 0xe050
#define XG_GUEST_CS32 0xe023
#define XG_GUEST_SS 0xe02b
#define XG_GUEST_CS64 0xe033
/* Those of 32-bit guests, whose reserved page is another one: kernel in ring 1, user mode in ring 3. */
#define XG_COMPAT_KERNEL_CS 0xe019
#define XG_COMPAT_KERNEL_DS 0xe021
#define XG_COMPAT_USER_CS 0xe02b
#define XG_COMPAT_USER_DS 0xe033
/* Where a CPU has its page for arguments in the 64-bit form, under the monitor tables of 32-bit guests. */
#define XG_ARGUMENT_BASE 0x8000000000

/* What entry_vector says of system calls: numbers behind those of interrupts. */
#define XG_VECTOR_SYSCALL 0x100
#define XG_VECTOR_SYSCALL32 0x101
#define XG_VECTOR_SYSENTER 0x102
/* The software interrupt by which 32-bit kernels make hypercalls. */
#define XG_VECTOR_HYPERCALL 0x82

/* Flags that a handler is entered without: trap, nested task, resume, virtual 8086, alignment. */
#define XG_HANDLER_FLAGS 0x74100

/* Offsets in struct xg_percpu; machine.h asserts them. */
#define XG_PERCPU_SYSCALL_RSP 8
#define XG_PERCPU_TSS 80

/* Size of struct xg_frame, and its fields' offsets. */
#define XG_FRAME_SIZE 168
#define XG_FRAME_R11 48
#define XG_FRAME_RCX 88
#define XG_FRAME_CS 136

#endif
