/*
 * test: attack-handler-loop
 * verdict: crash
 * The page fault handler stands in the hypervisor: entering it is another page fault, whose frame
 * goes below the first, until the stack ends. A careless hypervisor goes on writing frames
 * wherever the stack pointer is, or recurses in its own stack. The guest must die.
 */
#include "guest.h"

void test_main(void)
{
    struct trap_info table[2] = {
        {.vector = VECTOR_PF, .cs = FLAT_KERNEL_CS, .address = HYPERVISOR_ADDRESS}};
    expect_result("page fault handler in the hypervisor", HYPERVISOR_set_trap_table(table), 0);
    print("Test result: SUCCESS\n");
    *(volatile uint64_t *)UNMAPPED_ADDRESS = 0;
    failure("the write was let pass");
}
