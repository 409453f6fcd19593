/*
 * test: debug-registers
 * A guest sets breakpoints on its own addresses, by hypercall or by mov, and takes #DB in its
 * handler. Addresses of the hypervisor and registers 4 and 5 are refused.
 */
#include "guest.h"

static volatile unsigned long watched;
/* Breakpoint 0: local, on writes of a word. */
#define WATCH (PAGING_LEVELS == 4 ? 0x90402 : 0xd0402)
static unsigned int traps;
static long dr6;

static bool debug(struct trap_frame *frame)
{
    if (frame->vector != VECTOR_DB)
        return false;
    traps++;
    dr6 = HYPERVISOR_get_debugreg(6);
    HYPERVISOR_set_debugreg(6, 0xffff0ff0);
    return true;
}

void test_main(void)
{
    expect_result("set dr0", HYPERVISOR_set_debugreg(0, (unsigned long)&watched), 0);
    expect_true("get dr0", HYPERVISOR_get_debugreg(0) == (long)&watched);
    expect_result("set dr1 to an address of the hypervisor",
                  HYPERVISOR_set_debugreg(1, HYPERVISOR_ADDRESS), -XEN_EPERM);
#ifdef __x86_64__
    expect_result("set dr1 to a non-canonical address",
                  HYPERVISOR_set_debugreg(1, NON_CANONICAL_ADDRESS), -XEN_EPERM);
#endif
    expect_result("set dr8", HYPERVISOR_set_debugreg(8, 0), -XEN_ENODEV);
    expect_result("set dr-1", HYPERVISOR_set_debugreg(-1, 0), -XEN_ENODEV);
    expect_result("get dr8", HYPERVISOR_get_debugreg(8), -XEN_ENODEV);
    expect_result("dr7 with general detect", HYPERVISOR_set_debugreg(7, 0x2000), -XEN_EPERM);

    set_trap_hook(debug);
    expect_result("set dr7", HYPERVISOR_set_debugreg(7, WATCH), 0);
    expect_value("get dr7", (uint64_t)HYPERVISOR_get_debugreg(7), WATCH);
    watched = 1;
    expect_value("traps", traps, 1);
    expect_value("dr6 names it", (uint64_t)dr6 & 0xf, 1);
    uint64_t read = watched;
    expect_value("a read does not trap", traps + read, 2);
    expect_result("clear dr7", HYPERVISOR_set_debugreg(7, 0), 0);
    watched = 2;
    expect_value("traps", traps, 1);

    unsigned long value = 0;
    expect_fault("mov from dr0", TRY("mov %%dr0, %0", : "+r"(value)), NO_FAULT);
    expect_true("its value", value == (unsigned long)&watched);
    expect_fault("mov to dr1", TRY("mov %0, %%dr1", : : "r"(0x1000ul)), NO_FAULT);
    expect_value("dr1", (uint64_t)HYPERVISOR_get_debugreg(1), 0x1000);
    expect_fault("mov to dr2, an address of the hypervisor",
                 TRY("mov %0, %%dr2", : : "r"(HYPERVISOR_ADDRESS)), FAULT(VECTOR_GP, 0));

    /* Single step: the trap flag stops behind the next instruction. */
    traps = 0;
    __asm__ volatile("pushf; orl $0x100, (%%" SP "); popf; nop; pushf; andl $~0x100, (%%" SP "); popf"
                     : : : "memory", "cc");
    expect_true("single steps", traps >= 3);
}
