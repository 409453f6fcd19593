/* Numbers that assembly, link script and C of a Swift guest share. */
#ifndef XG_GUEST_LAYOUT_H
#define XG_GUEST_LAYOUT_H

/*
 * The lower half of the address space, because Embedded Swift keeps a tag in bit 63 of references
 * in some enums. The first GiB stays empty, so that null pointers fault.
 */
#define XG_GUEST_BASE 0x40000000
#define XG_GUEST_STACK_SIZE 0x20000

/* Entries behind the 32 exceptions. */
#define XG_GUEST_FAILSAFE 32

#endif
