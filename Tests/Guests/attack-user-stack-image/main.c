/*
 * test: attack-user-stack-image
 * verdict: crash
 * A trap of user mode while the kernel's stack is registered in the hypervisor's image.
 * A careless hypervisor checks the pointer only where the kernel itself was interrupted, or keeps
 * it for its TSS. The guest must die, if the registration is not refused.
 */
#include "guest.h"

USER_CODE(user_traps, "ud2");

void test_main(void)
{
    user_initialise();
    long result = HYPERVISOR_stack_switch(FLAT_KERNEL_SS, HYPERVISOR_IMAGE + 0x100000);
    print("Test result: SUCCESS\n");
    if (result)
        shut_down(SHUTDOWN_crash);
    user_try(user_traps);
    failure("the trap was taken on that stack");
    report_and_end();
}
