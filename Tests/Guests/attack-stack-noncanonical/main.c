/*
 * test: attack-stack-noncanonical
 * verdict: crash
 * A trap of the guest's kernel with its stack pointer at an address that is not canonical.
 * A careless hypervisor writes the frame there with its own rights. The guest must die.
 */
#include "guest.h"

void test_main(void)
{
    print("Test result: SUCCESS\n");
    __asm__ volatile("movq %0, %%rsp; ud2" : : "r"(NON_CANONICAL_ADDRESS) : "memory");
    failure("the trap was taken on that stack");
    report_and_end();
}
