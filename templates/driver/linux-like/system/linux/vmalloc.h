#ifndef _LINUX_VMALLOC_H
#define _LINUX_VMALLOC_H
struct vm_struct { void *addr; };
#define VM_IOREMAP 0x1ul
struct vm_struct *get_vm_area(unsigned long size, unsigned long flags);
void free_vm_area(struct vm_struct *area);
#endif
