#ifndef PARAM_H
#define PARAM_H
/* mmu.h has it. */
#define PGSIZE 4096u
#endif
