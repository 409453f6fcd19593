/*
 * test: traps-user
 * Exceptions from user mode enter the kernel on the stack of stack_switch, with user bits in page
 * fault codes and the user's selectors in the frame. The kernel's memory is out of user mode's
 * reach although both run in the same ring, or by ring 1.
 */
#include "guest.h"

USER_CODE(user_divide, "xorl %ecx, %ecx; xorl %edx, %edx; movl $1, %eax; divl %ecx; ud2");
USER_CODE(user_ud2, "ud2");
USER_CODE(user_int3, "int3; ud2");
USER_CODE(user_read, "mov (%" DI "), %" AX "; ud2");
USER_CODE(user_write, "mov %" AX ", (%" DI "); ud2");
USER_CODE(user_jump, "jmp *%" DI);
USER_CODE(user_hlt, "hlt; ud2");
USER_CODE(user_cli, "cli; ud2");
USER_CODE(user_int20, "int $0x20; ud2");
USER_CODE(user_cr0, "mov %cr0, %" AX "; ud2");

static fault_t run(const void *code, uint64_t argument)
{
    struct trap_frame frame = user_frame(code);
    frame.rdi = argument;
    user_run(&frame);
    return FAULT(frame.vector, frame.error_code);
}

void test_main(void)
{
    struct trap_frame frame = user_frame(user_ud2);
    frame.rbx = (uintptr_t)0x1122334455667788;
#ifdef __x86_64__
    frame.r15 = 0x99aabbccddeeff00;
#endif
    user_run(&frame);
    expect_fault("ud2", FAULT(frame.vector, frame.error_code), FAULT(VECTOR_UD, 0));
    expect_value("rip", frame.rip, user_address(user_ud2));
    expect_value("selector", frame.cs & 0xffff, FLAT_USER_CS);
    expect_value("stack selector", frame.ss & 0xffff, FLAT_USER_SS);
    expect_value("stack pointer", frame.rsp, USER_STACK + PAGE_SIZE);
    expect_value("rbx", frame.rbx, (uintptr_t)0x1122334455667788);
#ifdef __x86_64__
    expect_value("r15", frame.r15, 0x99aabbccddeeff00);
#endif

    expect_fault("division by zero", run(user_divide, 0), FAULT(VECTOR_DE, 0));
    expect_fault("int3", run(user_int3, 0), FAULT(VECTOR_BP, 0));
    expect_fault("read of an unmapped page", run(user_read, UNMAPPED_ADDRESS),
                 FAULT(VECTOR_PF, PF_USER));
    expect_value("its cr2", this_vcpu()->arch.cr2, UNMAPPED_ADDRESS);
    expect_fault("write to an unmapped page", run(user_write, UNMAPPED_ADDRESS),
                 FAULT(VECTOR_PF, PF_USER | PF_WRITE));
    expect_fault("write to its own code", run(user_write, USER_TEXT),
                 FAULT(VECTOR_PF, PF_USER | PF_WRITE | PF_PRESENT));
    expect_fault("execution of its data", run(user_jump, USER_DATA),
                 FAULT(VECTOR_PF, PF_USER | PF_FETCH | PF_PRESENT));
    /* One table of 32 bits maps the kernel for user mode, too. */
    expect_fault("read of the kernel", run(user_read, (uintptr_t)start_info),
                 FAULT(VECTOR_PF, PAGING_LEVELS == 3 ? PF_USER | PF_PRESENT : PF_USER));
    fault_t fault = run(user_read, HYPERVISOR_ADDRESS);
    /* Where the processor looks at limits, which QEMU 7.2 does not, segments of 32 bits end below. */
    if (PAGING_LEVELS == 3 && fault == FAULT(VECTOR_GP, 0))
        fault = FAULT(VECTOR_PF, PF_USER);
    expect_fault("read of the hypervisor", fault, FAULT(VECTOR_PF, PF_USER));
#ifdef __x86_64__
    expect_fault("non-canonical read", run(user_read, NON_CANONICAL_ADDRESS), FAULT(VECTOR_GP, 0));
#endif
    expect_fault("hlt", run(user_hlt, 0), FAULT(VECTOR_GP, 0));
    expect_fault("cli", run(user_cli, 0), FAULT(VECTOR_GP, 0));
    expect_fault("mov from cr0", run(user_cr0, 0), FAULT(VECTOR_GP, 0));
    /* QEMU 7.2 gives another error code here than processors do. */
    expect_vector("int 0x20", run(user_int20, 0), VECTOR_GP);
}
