/*
 * test: port-io
 * I/O ports by the rules of IOPL: a domain's kernel starts without access in its flags, physdev's
 * set_iopl grants it, and ports that are not the domain's are faults or read as all ones, whatever
 * it asks for.
 */
#include "guest.h"

static fault_t in(uint16_t port, uint8_t *value)
{
    uint32_t found = 0;
    fault_t fault = TRY("inb %w1, %b0", : "+a"(found) : "d"(port));
    *value = (uint8_t)found;
    return fault;
}

void test_main(void)
{
    uint8_t value;
    struct physdev_set_iopl iopl = {.iopl = 0};
    expect_result("set_iopl 0", HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
    expect_fault("in from port 0x80", in(0x80, &value), FAULT(VECTOR_GP, 0));
    iopl.iopl = 1;
    expect_result("set_iopl 1", HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl), 0);
    expect_fault("in from port 0x80", in(0x80, &value), NO_FAULT);
    iopl.iopl = 4;
    expect_result("set_iopl 4", HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, &iopl), -XEN_EINVAL);
    expect_fault("in from the first interrupt controller", in(0x20, &value), NO_FAULT);
    expect_value("it reads as", value, 0xff);
    expect_fault("out to it", TRY("outb %b0, %w1", : : "a"(0xff), "d"((uint16_t)0x21)), NO_FAULT);
    expect_result("set_iopl with a bad pointer",
                  HYPERVISOR_physdev_op(PHYSDEVOP_set_iopl, (void *)UNMAPPED_ADDRESS), -XEN_EFAULT);
    expect_result("unknown operation", HYPERVISOR_physdev_op(1000, &iopl), -XEN_ENOSYS);
}
