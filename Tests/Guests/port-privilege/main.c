/*
 * test: port-privilege
 * Who may name a port: the kernel from IOPL 1 on, user mode at IOPL 3 or by the bitmap of
 * set_iobitmap. With the assist architectural_iopl the kernel always may, and IOPL is in saved flags
 * and taken from those that iret restores. String forms move memory like loads and stores.
 */
#include "guest.h"

USER_CODE(user_in, "inb %dx, %al; " SYSTEM_CALL "; ud2");
USER_CODE(user_cli, "cli; sti; " SYSTEM_CALL "; ud2");

#define PORT 0x80 /* Diagnostics, on every machine. */

static uint64_t saved_flags;

static bool breakpoint(struct trap_frame *frame)
{
    if (frame->vector != VECTOR_BP)
        return false;
    saved_flags = frame->rflags;
    return true;
}

static uint64_t saved_level(void)
{
    __asm__ volatile("int3" ::: "memory");
    return saved_flags >> 12 & 3;
}

static void set_level(uint32_t level)
{
    struct physdev_set_iopl iopl = {.iopl = level};
    print("iopl %u: ", level);
    expect_result("set_iopl", HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
}

static fault_t user(const void *code, uint64_t level)
{
    struct trap_frame frame = user_frame(code);
    frame.rdx = PORT;
    frame.rflags |= level << 12;
    user_run(&frame);
    return FAULT(frame.vector, frame.error_code);
}

static fault_t kernel_in(void)
{
    uint32_t value = 0;
    return TRY("inb %w1, %b0", : "+a"(value) : "d"((uint16_t)PORT));
}

static long set_bitmap(void *bitmap, uint32_t count)
{
    struct physdev_set_iobitmap request = {.bitmap = bitmap, .nr_ports = count};
    return HYPERVISOR_physdev_op(PHYSDEVOP_set_iobitmap, &request);
}

static void strings(void)
{
    uint8_t buffer[16] = {0};
    uint8_t *place = buffer;
    unsigned long count = 3;
    expect_fault("rep insb", TRY("rep insb", : "+D"(place), "+c"(count) : "d"((uint16_t)0x20) : "memory"),
                 NO_FAULT);
    expect_value("bytes", (uint64_t)(place - buffer), 3);
    expect_value("count left", count, 0);
    expect_true("the bytes are there", buffer[0] == 0xff && buffer[2] == 0xff && buffer[3] == 0);
    count = 2;
    expect_fault("rep outsw, downwards",
                 TRY("std; rep outsw", : "+D"(place), "+c"(count) : "S"(buffer + 4), "d"((uint16_t)0x20)
                     : "memory"), NO_FAULT);
    __asm__ volatile("cld");
    count = 0;
    expect_fault("rep insb of nothing",
                 TRY("rep insb", : "+D"(place), "+c"(count) : "d"((uint16_t)0x20) : "memory"), NO_FAULT);
    place = (uint8_t *)UNMAPPED_ADDRESS;
    expect_fault("outsb from nowhere", TRY("outsb", : "+S"(place) : "d"((uint16_t)PORT) : "memory"),
                 FAULT(VECTOR_PF, 0));
    expect_true("cr2", caught.cr2 == UNMAPPED_ADDRESS);
    expect_fault("insb to nowhere", TRY("insb", : "+D"(place) : "d"((uint16_t)0x20) : "memory"),
                 FAULT(VECTOR_PF, PF_WRITE));
    place = (uint8_t *)top_table();
    expect_fault("insb to a read-only page", TRY("insb", : "+D"(place) : "d"((uint16_t)0x20) : "memory"),
                 FAULT(VECTOR_PF, PF_WRITE));
    place = (uint8_t *)HYPERVISOR_ADDRESS;
    expect_fault("insb to the hypervisor", TRY("insb", : "+D"(place) : "d"((uint16_t)0x20) : "memory"),
                 FAULT(VECTOR_GP, 0));
    uint32_t value = 0x12345678;
    expect_fault("inw", TRY("inw %w1, %w0", : "+a"(value) : "d"((uint16_t)0x20)), NO_FAULT);
    expect_value("it leaves the upper half", value, 0x1234ffff);
    expect_fault("inl over the end", TRY("inl %w1, %0", : "+a"(value) : "d"((uint16_t)0xffff)), NO_FAULT);
    expect_value("it reads as", value, 0xffffffff);
}

void test_main(void)
{
    static uint8_t bitmap[8192];
    set_trap_hook(breakpoint);
    expect_fault("kernel", kernel_in(), FAULT(VECTOR_GP, 0));
    expect_fault("user mode", user(user_in, 0), FAULT(VECTOR_GP, 0));
    set_level(1);
    expect_fault("kernel", kernel_in(), NO_FAULT);
    expect_fault("user mode", user(user_in, 0), FAULT(VECTOR_GP, 0));
    expect_fault("cli", TRY("cli", : : : "memory"), NO_FAULT);
    expect_fault("sti", TRY("sti", : : : "memory"), NO_FAULT);
    expect_value("events stay masked", this_vcpu()->evtchn_upcall_mask, 1);
    expect_value("level in saved flags", saved_level(), 0);
    strings();
    set_level(3);
    expect_fault("user mode", user(user_in, 0), FAULT(ENTRY_SYSCALL, 0));
    expect_fault("cli and sti of user mode", user(user_cli, 0), FAULT(ENTRY_SYSCALL, 0));
    set_level(0);

    memset(bitmap, 0xff, sizeof(bitmap));
    bitmap[PORT / 8] = 0xfe;
    expect_result("bitmap", set_bitmap(bitmap, 65536), 0);
    expect_fault("user mode", user(user_in, 0), FAULT(ENTRY_SYSCALL, 0));
    expect_fault("cli of user mode", user(user_cli, 0), FAULT(VECTOR_GP, 0));
    bitmap[PORT / 8] = 0xff;
    expect_fault("user mode, the bit set", user(user_in, 0), FAULT(VECTOR_GP, 0));
    bitmap[PORT / 8] = 0xfe;
    expect_result("bitmap that ends before the port", set_bitmap(bitmap, PORT), 0);
    expect_fault("user mode", user(user_in, 0), FAULT(VECTOR_GP, 0));
    expect_result("bitmap of too many ports", set_bitmap(bitmap, 65537), -XEN_EINVAL);
    expect_result("bitmap in the hypervisor's range", set_bitmap((void *)HYPERVISOR_ADDRESS, 0),
                  -XEN_EINVAL);
    expect_result("bitmap that is not there", set_bitmap((void *)UNMAPPED_ADDRESS, 65536), 0);
    expect_fault("user mode", user(user_in, 0), FAULT(VECTOR_GP, 0));
    expect_result("no bitmap", set_bitmap(0, 0), 0);

    expect_result("architectural_iopl",
                  HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_architectural_iopl), 0);
    expect_value("level in saved flags", saved_level(), 0);
    expect_fault("kernel", kernel_in(), NO_FAULT);
    set_level(1);
    expect_value("level in saved flags", saved_level(), 1);
    expect_fault("user mode at 0", user(user_in, 0), FAULT(VECTOR_GP, 0));
    expect_fault("user mode at 3", user(user_in, 3), FAULT(ENTRY_SYSCALL, 0));
    expect_value("level in saved flags", saved_level(), 3);
    expect_fault("user mode at 1", user(user_in, 1), FAULT(VECTOR_GP, 0));
    expect_value("level in saved flags", saved_level(), 1);
}
