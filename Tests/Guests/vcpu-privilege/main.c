/*
 * test: vcpu-privilege
 * The I/O privilege that a second vcpu starts with is the IOPL in the flags of its context, as if it
 * had called PHYSDEVOP_set_iopl: kernels give it so, and name ports before they can take a fault. It
 * is the vcpu's own, and never in the flags that it sees.
 */
#include "guest.h"
#include "second.h"

#define PORT 0x80 /* Diagnostics, on every machine. */
#define LEVEL 1

static volatile uint64_t flags;
static volatile bool is_done;

static void use_port(void)
{
    uint8_t value;
    __asm__ volatile("outb %b0, %w1" : : "a"(0x55), "Nd"((uint16_t)PORT));
    __asm__ volatile("inb %w1, %b0" : "=a"(value) : "Nd"((uint16_t)PORT));
    __asm__ volatile("pushf; pop %0" : "=r"(flags));
    is_done = true;
    while (!second_shall_stop())
        __asm__ volatile("pause");
}

static fault_t kernel_in(void)
{
    uint32_t value = 0;
    return TRY("inb %w1, %b0", : "+a"(value) : "d"((uint16_t)PORT));
}

void test_main(void)
{
    struct physdev_set_iopl iopl = {.iopl = 0};
    expect_result("set_iopl 0 on vcpu 0", HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
    if (!second_start_with(use_port, LEVEL << 12))
        return;
    while (!is_done)
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
    expect_true("vcpu 1 names a port", is_done);
    expect_value("IOPL in its flags", flags >> 12 & 3, 0);
    expect_true("inb on vcpu 0 faults", kernel_in() != NO_FAULT);
    second_stop();
}
