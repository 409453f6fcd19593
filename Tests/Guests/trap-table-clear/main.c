/*
 * test: trap-table-clear
 * verdict: crash
 * set_trap_table with a null table takes all handlers away. A fault without a handler then ends the
 * domain as crashed, with the registers in the hypervisor's report.
 */
#include "guest.h"

void test_main(void)
{
    expect_result("remove all handlers", HYPERVISOR_set_trap_table(0), 0);
    print("Test result: SUCCESS\n");
    *(volatile uint64_t *)UNMAPPED_ADDRESS = 1;
    failure("the fault was ignored");
}
