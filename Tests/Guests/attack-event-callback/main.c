/*
 * test: attack-event-callback
 * verdict: crash
 * The event entry stands in the hypervisor and so does the page fault's: an upcall faults, and the
 * fault faults. A careless hypervisor tries to deliver for ever. The guest must die.
 */
#include "guest.h"

void test_main(void)
{
    struct trap_info table[2] = {
        {.vector = VECTOR_PF, .cs = FLAT_KERNEL_CS, .address = HYPERVISOR_ADDRESS}};
    HYPERVISOR_set_trap_table(table);
#ifdef __x86_64__
    HYPERVISOR_set_callbacks(HYPERVISOR_ADDRESS, HYPERVISOR_ADDRESS, (unsigned long)syscall_entry);
#else
    HYPERVISOR_set_callbacks(FLAT_KERNEL_CS, HYPERVISOR_ADDRESS, FLAT_KERNEL_CS, HYPERVISOR_ADDRESS);
#endif
    print("Test result: SUCCESS\n");
    this_vcpu()->evtchn_upcall_pending = 1;
    events_enable();
    for (unsigned int i = 0; i < 100; i++)
        HYPERVISOR_xen_version(XENVER_version, 0);
    failure("no upcall");
    report_and_end();
}
