/*
 * test: attack-empty-tables
 * verdict: crash
 * The guest goes over to a top table that is valid and empty: its code, its stack and its handlers
 * are gone. The hypervisor still has to come out of the hypercall, and cannot write a frame for the
 * fault that follows. The guest must die.
 */
#include "guest.h"

void test_main(void)
{
    pte_t *empty = top_make();
    page_read_only(empty);
    print("Test result: SUCCESS\n");
    mmuext_frame(MMUEXT_NEW_BASEPTR, mfn_of(empty));
    failure("the kernel is still there");
    report_and_end();
}
