/*
 * Names for the ways into the kernel that are no exception: shared by traps.S and traps.h.
 */
#ifndef GUEST_ENTRIES_H
#define GUEST_ENTRIES_H

#define ENTRY_GATE 0x100
#define ENTRY_SYSCALL 0x101
#define ENTRY_SYSENTER 0x102
#define ENTRY_EVENT 0x103
#define ENTRY_FAILSAFE 0x104

#endif /* GUEST_ENTRIES_H */
