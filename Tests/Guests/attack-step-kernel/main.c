/*
 * test: attack-step-kernel
 * The kernel sets its own trap flag before hypercalls. The hypervisor's entry must not be
 * stepped through: the flag is masked there, comes back at the return, and the trap is the guest's.
 */
#include "guest.h"

static unsigned int steps, foreign;
static uintptr_t start;

static bool hook(struct trap_frame *frame)
{
    if (frame->vector != VECTOR_DB)
        return false;
    steps++;
    foreign += frame->rip >= start && frame->rip < HYPERVISOR_VIRT_END;
    return true;
}

static long stepped(unsigned long number, unsigned long one, unsigned long two, unsigned long three)
{
    long result;
#ifdef __x86_64__
    __asm__ volatile(
        "pushfq; orq $0x100, (%%rsp); popfq; syscall; pushfq; andq $~0x100, (%%rsp); popfq"
        : "=a"(result), "+D"(one), "+S"(two), "+d"(three)
        : "0"(number)
        : "rcx", "r11", "memory");
#else
    __asm__ volatile(
        "pushfl; orl $0x100, (%%esp); popfl; int $0x82; pushfl; andl $~0x100, (%%esp); popfl"
        : "=a"(result), "+b"(one), "+c"(two), "+d"(three)
        : "0"(number)
        : "memory");
#endif
    return result;
}

void test_main(void)
{
    start = hypervisor_start();
    set_trap_hook(hook);
    expect_result("xen_version", stepped(__HYPERVISOR_xen_version, XENVER_pagesize, 0, 0),
                  PAGE_SIZE);
    expect_result("a bad pointer",
                  stepped(__HYPERVISOR_xen_version, XENVER_extraversion, HYPERVISOR_ADDRESS, 0),
                  -XEN_EFAULT);
    stepped(__HYPERVISOR_sched_op, SCHEDOP_yield, 0, 0);
    stepped(__HYPERVISOR_mmuext_op, HYPERVISOR_ADDRESS, 1, 0);
    set_trap_hook(0);
    expect_true("steps were seen", steps > 3);
    expect_value("steps inside the hypervisor", foreign, 0);
}
