#ifndef _SYS_PARAM_H_
#define _SYS_PARAM_H_
#include <stddef.h>
#include <stdint.h>
#define PAGE_SIZE 4096ul
#define PRI_NONE (-1)
typedef uintptr_t vaddr_t;
typedef size_t vsize_t;
struct lwp;
#endif
