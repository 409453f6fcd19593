/*
 * test: attack-stack-table
 * verdict: crash
 * A trap with the stack pointer in a page table, which is mapped read-only. A careless hypervisor
 * writes the frame with write protection off, and its words become entries. The guest must die.
 */
#include "guest.h"

void test_main(void)
{
    print("Test result: SUCCESS\n");
    __asm__ volatile("mov %0, %%" SP "; ud2" : : "r"(top_table() + 200) : "memory");
    failure("the trap was taken on that stack");
    report_and_end();
}
