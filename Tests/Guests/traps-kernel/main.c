/*
 * test: traps-kernel
 * Exceptions that the kernel causes arrive at its handlers with the vector and error code that
 * hardware has, as if it ran in ring 0: user bits of page faults are taken away, and software
 * interrupts without a gate are general protection faults.
 */
#include "guest.h"

static bool ran;
static uint64_t frame_cs, frame_rflags;

static bool look(struct trap_frame *frame)
{
    ran = true;
    frame_cs = frame->cs;
    frame_rflags = frame->rflags;
    return false;
}

void test_main(void)
{
    uint32_t zero = 0, low = 1, high = 0;
    set_trap_hook(look);
    expect_fault("division by zero",
                 TRY("divl %2", : "+a"(low), "+d"(high) : "r"(zero) : "cc"), FAULT(VECTOR_DE, 0));
    expect_true("a hook sees it", ran);
    expect_value("selector in the frame", frame_cs & 0xffff, FRAME_KERNEL_CS);
    set_trap_hook(0);

    expect_fault("ud2", TRY("ud2", : : : "memory"), FAULT(VECTOR_UD, 0));
    expect_fault("read of an unmapped page", try_read((void *)UNMAPPED_ADDRESS, 0),
                 FAULT(VECTOR_PF, 0));
    expect_value("its cr2", caught.cr2, UNMAPPED_ADDRESS);
    expect_fault("write to an unmapped page", try_write((void *)(UNMAPPED_ADDRESS + 8), 1),
                 FAULT(VECTOR_PF, PF_WRITE));
    expect_value("its cr2", caught.cr2, UNMAPPED_ADDRESS + 8);
#ifdef __x86_64__
    expect_fault("non-canonical read", try_read((void *)NON_CANONICAL_ADDRESS, 0),
                 FAULT(VECTOR_GP, 0));
#endif
    /* QEMU 7.2 gives other error codes here than processors do. */
    expect_vector("int 0x20 without a gate", TRY("int $0x20", : : : "memory"), VECTOR_GP);
#ifdef __x86_64__ /* That of system calls on 32 bits. */
    expect_vector("int 0x80 without a gate", TRY("int $0x80", : : : "memory"), VECTOR_GP);
#endif
    expect_vector("int 0x0d, an exception's vector", TRY("int $0x0d", : : : "memory"), VECTOR_GP);
    expect_fault("load of a selector beyond the table",
                 TRY("movw %w0, %%fs", : : "r"(0x1003) : "memory"), FAULT(VECTOR_GP, 0x1000));
    expect_fault("load of a null stack selector",
                 TRY("movw %w0, %%ss", : : "r"(0) : "memory"), FAULT(VECTOR_GP, 0));
}
