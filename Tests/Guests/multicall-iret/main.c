/*
 * test: multicall-iret
 * An iret as an element of a batch takes the frame off the stack of the call.
 */
#include "guest.h"

static struct multicall_entry calls[3];

/* The batch with an iret_context on the stack; goes on at 2 by the iret, or behind the call. */
static uint64_t batch(unsigned int count, uint64_t *result, uint64_t *rcx)
{
    uint64_t how, rax = 0, c = 0;
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
                     : [how] "=&r"(how), "=&a"(rax), "=&c"(c)
                     : [ss] "r"((uint64_t)FLAT_KERNEL_SS), [cs] "r"((uint64_t)FLAT_KERNEL_CS & ~3ul),
                       [number] "i"(__HYPERVISOR_multicall), "D"(calls), "S"((uint64_t)count)
                     : "rbx", "r11", "memory");
    *result = rax;
    *rcx = c;
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
    uint64_t result, rcx, how = batch(3, &result, &rcx);
    print("went on %s, rax %lx, rcx %lx\n", how == 2 ? "at the frame's rip" : "behind the call", result, rcx);
    print("results %E %lx %lx\n", (long)calls[0].result, calls[1].result, calls[2].result);
    print("features %x, mask %u\n", features.submap, this_vcpu()->evtchn_upcall_mask);
}
