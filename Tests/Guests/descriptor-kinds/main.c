/*
 * test: descriptor-kinds
 * Which descriptors a guest may have: every type with privilege 0 and 3, and call gates by their
 * selector. Code and data become ring 3's, call gates get out of reach, and what leads elsewhere is refused.
 */
#include "guest.h"

static uint64_t *table, address;

static void try_descriptor(uint64_t descriptor, uint64_t stored)
{
    long result = HYPERVISOR_update_descriptor(address, descriptor);
    if (result != (stored ? 0 : -XEN_EINVAL) || (!result && table[4] != stored))
        failure("unlike what it should be");
    print("%lx: %s, reads %lx\n", descriptor, result_name(result), result ? 0 : table[4]);
}

void test_main(void)
{
    table = page_alloc();
    page_read_only(table);
    xen_pfn_t frame = mfn_of(table);
    if (HYPERVISOR_set_gdt(&frame, 512))
        panic("set_gdt");
    address = machine_address(&table[4]);
    for (uint64_t type = 0; type < 32; type++) {
        uint64_t bits = 0x00cf80000000ff00 | type << 40, ring3 = 3ull << 45;
        uint64_t stored = type >= 16 ? bits | ring3 : type == 12 ? bits | 3ull << 16 : 0;
        try_descriptor(bits, type ? stored : bits);
        try_descriptor(bits | ring3, type ? stored : bits | ring3);
    }
    static const struct {
        uint64_t selector, stored;
    } gates[] = {
        {0, 3}, {0x08, 0x0b}, {0x0c, 0x0f}, {0xdff8, 0xdffb}, {0xe000, 0}, {0xe008, 0},
        {0xe023, 0}, {0xe020, 0}, {0xe02b, 0}, {0xe033, 0xe033}, {0xe030, 0}, {0xe032, 0},
        {0xe034, 0xe037}, {0xe053, 0}, {0xfffb, 0}, {0xfffc, 0xffff},
    };
    for (unsigned int i = 0; i < sizeof(gates) / sizeof(gates[0]); i++)
        try_descriptor(0x0000ec0000000000 | gates[i].selector << 16,
                       gates[i].stored ? 0x00008c0000000000 | gates[i].stored << 16 : 0);
    for (unsigned int bit = 0; bit < 8; bit++)
        try_descriptor(0x0000ec0000080000 | 1ull << (32 + bit), 0);
    try_descriptor(0xffffec0000080000, 0xffff8c00000b0000);
    /* Its error code depends on who finds out. */
    uint32_t pointer[2] = {0, 4 << 3 | 3};
    fault_t fault = TRY("lcall *(%0)", : : "r"(pointer) : "memory");
    expect_true("a call through the gate is a #GP", FAULT_VECTOR(fault) == VECTOR_GP);
}
