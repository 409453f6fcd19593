#ifndef _UVM_UVM_EXTERN_H_
#define _UVM_UVM_EXTERN_H_
#include <sys/param.h>
#define UVM_KMF_WIRED 0x1u
#define UVM_KMF_VAONLY 0x4u
#define UVM_KMF_NOWAIT 0x8u
#define UVM_KMF_ZERO 0x20u
struct vm_map;
extern struct vm_map *kernel_map;
vaddr_t uvm_km_alloc(struct vm_map *map, vsize_t size, vsize_t alignment, unsigned int flags);
void uvm_km_free(struct vm_map *map, vaddr_t address, vsize_t size, unsigned int flags);
#endif
