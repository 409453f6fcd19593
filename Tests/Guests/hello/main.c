/*
 * test: hello
 * The smallest guest: one line through console_io, a page fault that a fixup catches, user mode
 * and back, then power-off. If this one fails, the runtime or the domain builder is broken.
 */
#include "guest.h"

USER_CODE(say, "movl $42, %edi; " SYSTEM_CALL "; ud2");

void test_main(void)
{
    print("Hello from %s\n", start_info->magic);
    expect_fault("read of an unmapped page", try_read((void *)UNMAPPED_ADDRESS, 0),
                 FAULT(VECTOR_PF, 0));
    expect_fault("user mode ends", user_try(say), FAULT(ENTRY_SYSCALL, 0));
}
