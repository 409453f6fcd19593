/*
 * Addresses and selectors, for C and for assembly.
 *
 *     0x0000000000400000   a program: its image, then its heap
 *     0x0000007fffff0000   the program's stack, below USER_END
 *     0xffffffff80000000   physical memory from 0 on, one to one; the kernel's image at 1 MiB of it
 */
#ifndef LAYOUT_H
#define LAYOUT_H

#define PAGE_SIZE 4096
#define KERNEL_BASE 0xffffffff80000000
#define PHYSICAL_LIMIT 0x40000000 /* memory beyond 1 GiB is left alone */

/* A program has the addresses of the first entry of its top table. */
#define USER_START 0x400000
#define USER_END 0x8000000000
#define USER_STACK_PAGES 4

/*
 * Selectors. sysret wants the user's stack segment right before the user's code segment, and both
 * behind what STAR says.
 */
#define KERNEL_CS 0x08
#define KERNEL_SS 0x10
#define USER_SS 0x1b
#define USER_CS 0x23
#define TASK_SELECTOR 0x28

/* Vectors: 0 to 31 are exceptions, 32 to 47 the interrupt lines of the two 8259. */
#define VECTOR_IRQ 32
#define VECTORS 48
#define VECTOR_SYSTEM_CALL 256 /* of a frame that the syscall instruction has made */

#endif
