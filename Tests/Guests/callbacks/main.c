/*
 * test: callbacks
 * callback_op registers each kind of entry that a guest of this width has and refuses others, as well as
 * addresses that are not canonical. Only the NMI entry can be taken away again.
 */
#include "guest.h"

static long enter(uint16_t type, unsigned long address)
{
    struct callback_register callback = {.type = type, .address = ENTRY_POINT(address)};
    return HYPERVISOR_callback_op(CALLBACKOP_register, &callback);
}

static long leave(uint16_t type)
{
    struct callback_unregister callback = {.type = type};
    return HYPERVISOR_callback_op(CALLBACKOP_unregister, &callback);
}

void test_main(void)
{
    expect_result("event", enter(CALLBACKTYPE_event, (unsigned long)event_entry), 0);
    expect_result("failsafe", enter(CALLBACKTYPE_failsafe, (unsigned long)failsafe_entry), 0);
    /* That of 64-bit user mode. */
    expect_result("syscall", enter(CALLBACKTYPE_syscall, (unsigned long)syscall_entry),
                  PAGING_LEVELS == 4 ? 0 : -XEN_ENOSYS);
    expect_result("sysenter", enter(CALLBACKTYPE_sysenter, (unsigned long)sysenter_entry), 0);
    expect_result("syscall32", enter(CALLBACKTYPE_syscall32, (unsigned long)syscall_entry), 0);
    expect_result("nmi", enter(CALLBACKTYPE_nmi, trap_entries[2]), 0);
    expect_result("old sysenter", enter(CALLBACKTYPE_sysenter_deprecated, 0), -XEN_ENOSYS);
    expect_result("number 6", enter(6, (unsigned long)event_entry), -XEN_ENOSYS);
    expect_result("number 8", enter(8, (unsigned long)event_entry), -XEN_ENOSYS);
#ifdef __x86_64__
    expect_result("event, non-canonical", enter(CALLBACKTYPE_event, NON_CANONICAL_ADDRESS),
                  -XEN_EINVAL);
    expect_result("syscall, non-canonical", enter(CALLBACKTYPE_syscall, NON_CANONICAL_ADDRESS),
                  -XEN_EINVAL);
#endif
    expect_result("take nmi away", leave(CALLBACKTYPE_nmi), 0);
    expect_result("take event away", leave(CALLBACKTYPE_event), -XEN_EINVAL);
    expect_result("take syscall away", leave(CALLBACKTYPE_syscall), -XEN_EINVAL);
    expect_result("take number 9 away", leave(9), -XEN_ENOSYS);
    void *bad = (void *)UNMAPPED_ADDRESS;
    expect_result("bad pointer", HYPERVISOR_callback_op(CALLBACKOP_register, bad), -XEN_EFAULT);
    expect_result("unknown operation", HYPERVISOR_callback_op(2, bad), -XEN_ENOSYS);
    expect_result("set_callbacks",
                  callbacks_register(failsafe_entry), 0);
}
