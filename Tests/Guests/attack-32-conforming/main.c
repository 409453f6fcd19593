/*
 * test: attack-32-conforming
 * Conforming code runs in the ring of its caller. Descriptors of it with privilege 0 and 1 are called and
 * jumped to from ring 3 and ring 1: the ring must stay, and with it what user mode may not do.
 */
#include "guest.h"
#include "segments.h"

/* Reached by a far call: the ring in %ebx, and a privileged instruction if %edx asks for it. */
USER_CODE(user_inner, "movw %cs, %bx; testl %edx, %edx; jz 1f; hlt; 1: lret");
USER_CODE(user_call, "lcall *(%edi); " SYSTEM_CALL "; ud2");
/* By a far jump; it ends there. */
USER_CODE(user_landed, "movw %cs, %bx; movl (%esi), %eax; " SYSTEM_CALL "; ud2");
USER_CODE(user_jump, "ljmp *(%edi)");

static uint16_t called_ring;
extern const char kernel_inner[];
__asm__(".pushsection .text; kernel_inner: movw %cs, %ax; lret; .popsection");

static void from_user(const char *what, uint16_t selector)
{
    struct {
        uint32_t offset;
        uint16_t selector;
    } *pointer = user_data();
    user_initialise();
    pointer = user_data();
    pointer->selector = selector;
    pointer->offset = user_address(user_inner);
    struct trap_frame frame = user_frame(user_call);
    frame.rdi = USER_DATA;
    user_run(&frame);
    expect_fault(what, FAULT(frame.vector, frame.error_code), FAULT(ENTRY_SYSCALL, 0));
    expect_value("  ring inside", frame.rbx & 3, 3);
    frame = user_frame(user_call);
    frame.rdi = USER_DATA;
    frame.rdx = 1;
    user_run(&frame);
    expect_fault("  hlt inside", FAULT(frame.vector, frame.error_code), FAULT(VECTOR_GP, 0));
    expect_value("  ring of the fault", frame.cs & 3, 3);
    pointer->offset = user_address(user_landed);
    frame = user_frame(user_jump);
    frame.rdi = USER_DATA;
    frame.rsi = (uint32_t)start_info;
    user_run(&frame);
    expect_fault("  a read of the kernel inside", FAULT(frame.vector, frame.error_code),
                 FAULT(VECTOR_PF, PF_PRESENT | PF_USER));
    expect_value("  ring inside", frame.rbx & 3, 3);
}

static void from_kernel(const char *what, uint16_t selector, fault_t expected)
{
    struct {
        uint32_t offset;
        uint16_t selector;
    } __attribute__((packed)) pointer = {(uint32_t)kernel_inner, selector};
    called_ring = 0xffff;
    expect_fault(what, TRY("lcall *%1", : "+a"(called_ring) : "m"(pointer) : "memory"), expected);
    if (expected == NO_FAULT)
        expect_value("  ring inside", called_ring & 3, 1);
}

void test_main(void)
{
    uint64_t *table = own_gdt();
    for (unsigned int ring = 0; ring < 4; ring++)
        if (descriptor_put(&table[16 + ring], segment(0, 0xfffff, ACCESS_CONFORMING | ACCESS_RING(ring), SEGMENT_FLAT)))
            panic("refused");
    expect_value("privilege 0 is stored as", table[16] >> 45 & 3, 1);
    expect_value("privilege 1 is stored as", table[17] >> 45 & 3, 1);
    from_user("user mode calls what was of ring 0", 16 << 3);
    from_user("user mode calls what is of ring 1", 17 << 3 | 1);
    from_user("the same, asking for ring 3", 17 << 3 | 3);
    from_user("user mode calls what is of ring 3", 19 << 3 | 3);
    from_kernel("the kernel calls what was of ring 0", 16 << 3, NO_FAULT);
    from_kernel("the kernel calls what is of ring 1", 17 << 3 | 1, NO_FAULT);
    from_kernel("the kernel calls what is of ring 2", 18 << 3 | 1, FAULT(VECTOR_GP, 18 << 3));
    from_kernel("the kernel calls what is of ring 3", 19 << 3 | 3, FAULT(VECTOR_GP, 19 << 3));
}
