/*
 * test: multicall-iret
 * An iret as an element of a batch takes the frame off the stack of the call.
 */
#include "guest.h"

static struct multicall_entry calls[3];

/* The batch with an iret_context on the stack; goes on at 2 by the iret, or behind the call. */
static unsigned long batch(unsigned long count, unsigned long *ax, unsigned long *cx)
{
    unsigned long how, a = 0, c = 0;
#ifdef __x86_64__
    __asm__ volatile("movq %%rsp, %%rbx\n"
                     "pushq %[ss]\n"
                     "pushq %%rbx\n"
                     "pushq $0x202\n"
                     "pushq %[cs]\n"
                     "leaq  2f(%%rip), %%rax; pushq %%rax\n"
                     "pushq $0\n"
                     "pushq $0x7777\n"
                     "pushq $0x8888\n"
                     "pushq $0x9999\n"
                     "movl  %[number], %%eax\n"
                     "syscall\n"
                     "movl  $1, %k[how]\n"
                     "jmp   3f\n"
                     "2: movl $2, %k[how]\n"
                     "3: movq %%rbx, %%rsp\n"
                     : [how] "=&r"(how), "=&a"(a), "=&c"(c)
                     : [ss] "r"((uint64_t)FLAT_KERNEL_SS), [cs] "r"((uint64_t)FLAT_KERNEL_CS & ~3ul),
                       [number] "i"(__HYPERVISOR_multicall), "D"(calls), "S"(count)
                     : "rbx", "r11", "memory");
#else
    /* Within a ring neither stack pointer nor ss are in the frame, and eax is all that comes out of it. */
    c = count;
    __asm__ volatile("movl %%esp, %%esi\n"
                     "pushl $0x202\n"
                     "pushl %[cs]\n"
                     "pushl $2f\n"
                     "pushl $0x9999\n"
                     "movl  %[number], %%eax\n"
                     "int   $0x82\n"
                     "movl  $1, %[how]\n"
                     "jmp   3f\n"
                     "2: movl $2, %[how]\n"
                     "cmpl %%esi, %%esp; je 3f; movl $3, %[how]\n"
                     "3: movl %%esi, %%esp\n"
                     : [how] "=&D"(how), "=&a"(a), "+&c"(c)
                     : [cs] "i"(FLAT_KERNEL_CS), [number] "i"(__HYPERVISOR_multicall), "b"(calls)
                     : "edx", "esi", "memory");
#endif
    *ax = a;
    *cx = c;
    return how;
}

void test_main(void)
{
    static struct xen_feature_info features;
    calls[0] = (struct multicall_entry){
        .op = __HYPERVISOR_xen_version, .args = {XENVER_pagesize}, .result = 0x55};
    calls[1] = (struct multicall_entry){.op = __HYPERVISOR_iret, .result = 0x55};
    calls[2] = (struct multicall_entry){.op = __HYPERVISOR_xen_version,
                                        .args = {XENVER_get_features, (unsigned long)&features},
                                        .result = 0x55};
    unsigned long result, count, how = batch(3, &result, &count);
    print("went on %s, " AX " %lx, " CX " %lx\n",
          how == 2   ? "at the frame's rip"
          : how == 3 ? "there with another stack"
                     : "behind the call",
          (uint64_t)result, (uint64_t)count);
    print("results %E %lx %lx\n", (long)calls[0].result, (uint64_t)calls[1].result, (uint64_t)calls[2].result);
    print("features %x, mask %u\n", features.submap, this_vcpu()->evtchn_upcall_mask);
}
