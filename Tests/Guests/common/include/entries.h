/*
 * Names for the ways into the kernel that are no exception, and the size of the frame that the
 * stubs build: shared by traps.S and traps.h.
 */
#ifndef GUEST_ENTRIES_H
#define GUEST_ENTRIES_H

#define ENTRY_GATE 0x100
#define ENTRY_SYSCALL 0x101
#define ENTRY_SYSENTER 0x102
#define ENTRY_EVENT 0x103
#define ENTRY_FAILSAFE 0x104

#define TRAP_FRAME_SIZE 176

#ifdef __ASSEMBLER__
#define GUEST_VIRT_BASE 0xffffffff80000000
#endif

#endif /* GUEST_ENTRIES_H */
