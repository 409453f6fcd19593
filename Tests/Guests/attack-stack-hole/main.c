/*
 * test: attack-stack-hole
 * verdict: crash
 * A trap of the guest's kernel with its stack pointer in the hypervisor.
 * A careless hypervisor writes the frame there with its own rights. The guest must die.
 */
#include "guest.h"

void test_main(void)
{
    print("Test result: SUCCESS\n");
    __asm__ volatile("mov %0, %%" SP "; ud2" : : "r"(HYPERVISOR_ADDRESS) : "memory");
    failure("the trap was taken on that stack");
    report_and_end();
}
