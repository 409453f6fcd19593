/*
 * test: m2p-strict
 * The M2P table is in the address space of every table that has been a kernel's, and of no other.
 * With the assist m2p_strict it is taken out where a table becomes user mode's, so that a table used
 * for both hides it from the kernel as well.
 */
#include "guest.h"

USER_CODE(user_read, "mov (%" DI "), %" AX "; " SYSTEM_CALL "; ud2");

static fault_t read_from_user(void)
{
    struct trap_frame frame = user_frame(user_read);
    frame.rdi = HYPERVISOR_VIRT_START + mfn_of(top_table()) * 8;
    user_run(&frame);
    return FAULT(frame.vector, frame.error_code);
}

static long set_user_table(pte_t *top)
{
    return mmuext_frame(MMUEXT_NEW_USER_BASEPTR, top ? mfn_of(top) : 0);
}

static void read_from_kernel(fault_t fault)
{
    uint64_t value = 0;
    expect_fault("the kernel reads it",
                 try_read((void *)(HYPERVISOR_VIRT_START + mfn_of(top_table()) * 8), &value), fault);
    if (fault == NO_FAULT)
        expect_true("  and finds its frame", value == pfn_of(top_table()));
}

void test_main(void)
{
    user_initialise();
    expect_fault("user mode reads it", read_from_user(), FAULT(VECTOR_PF, PF_USER));
    read_from_kernel(NO_FAULT);
    expect_result("the kernel's table as user mode's", set_user_table(top_table()), 0);
    expect_fault("user mode reads it", read_from_user(), FAULT(ENTRY_SYSCALL, 0));
    expect_result("enable the assist",
                  HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_m2p_strict), 0);
    expect_fault("user mode reads it", read_from_user(), FAULT(ENTRY_SYSCALL, 0));
    expect_result("no user table", set_user_table(0), 0);
    expect_result("the kernel's table as user mode's", set_user_table(top_table()), 0);
    expect_fault("user mode reads it", read_from_user(), FAULT(VECTOR_PF, PF_USER));
    read_from_kernel(FAULT(VECTOR_PF, 0));
    expect_result("load the kernel's table", mmuext_frame(MMUEXT_NEW_BASEPTR, mfn_of(top_table())), 0);
    read_from_kernel(FAULT(VECTOR_PF, 0));
    expect_result("user mode's own table", set_user_table(user_top_table()), 0);
    expect_fault("user mode reads it", read_from_user(), FAULT(VECTOR_PF, PF_USER));
    expect_result("disable the assist",
                  HYPERVISOR_vm_assist(VMASST_CMD_disable, VMASST_TYPE_m2p_strict), 0);
}
