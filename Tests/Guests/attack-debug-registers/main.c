/*
 * test: attack-debug-registers
 * Breakpoints on the hypervisor's addresses, with all bits of DR7, by hypercall and by move. One on
 * the hypervisor's code or stack would stop it in ring 0 at the guest's wish.
 */
#include "guest.h"

void test_main(void)
{
    if (HYPERVISOR_set_debugreg(0, 0) == -XEN_ENOSYS) {
        skip("no debug registers");
        return;
    }
    const uintptr_t places[] = {hypervisor_start(), HYPERVISOR_ADDRESS,
                                HYPERVISOR_IMAGE,   HYPERVISOR_VIRT_END - 1,
                                NON_CANONICAL_ADDRESS, PAGING_LEVELS == 4 ? (uintptr_t)0xdeadbeef00000000 : ~0ul};
    refusals_begin();
    for (int number = 0; number < 4; number++)
        for (unsigned int i = 0; i < 6; i++)
            refusal(HYPERVISOR_set_debugreg(number, places[i]), places[i]);
    refusals_end("addresses of the hypervisor");
    refusals_begin();
    for (int number = 8; number < 32; number++)
        refusal(HYPERVISOR_set_debugreg(number, 0), (uint64_t)number);
    refusal(HYPERVISOR_set_debugreg(-1, 0), 0xffffffff);
    refusal(HYPERVISOR_set_debugreg(0x7fffffff, 0), 0x7fffffff);
#ifdef __x86_64__
    refusal(HYPERVISOR_set_debugreg(7, 1ull << 32), 32);
    refusal(HYPERVISOR_set_debugreg(6, ~0ul), 65);
#endif
    refusal(HYPERVISOR_set_debugreg(7, ~0ul), 64);
    refusals_end("registers and bits that there are not");
    unsigned int answers = 0;
    /* General detect, I/O breakpoints, global enables: whatever is taken may not stop the
     * hypervisor. */
    for (unsigned int bit = 0; bit < 32; bit++) {
        HYPERVISOR_set_debugreg(7, 1ul << bit);
        HYPERVISOR_set_debugreg(7, 0xf0000 | 1ul << bit);
        TRY("mov %0, %%dr7", : : "r"(1ul << bit));
        TRY("mov %0, %%dr0", : : "r"(HYPERVISOR_ADDRESS + bit));
        answers += HYPERVISOR_xen_version(XENVER_version, 0) > 0;
    }
    expect_value("answers meanwhile", answers, 32);
    HYPERVISOR_set_debugreg(7, 0);
    unsigned long found = 0;
    TRY("mov %%dr0, %0", : "=r"(found));
    expect_true("no breakpoint on the hypervisor",
                found < hypervisor_start() || found - 1 >= HYPERVISOR_VIRT_END - 1);
}
