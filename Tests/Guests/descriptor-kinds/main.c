/*
 * test: descriptor-kinds
 * Which descriptors a guest may have: every type with privilege 0 and 3, and call gates by their
 * selector. Code and data get the guest's rings, call gates get out of the processor's reach (on 32 bits the
 * hypervisor carries them out, see call-gates-32), and what leads elsewhere is refused.
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

static uint64_t gate_stored(uint64_t gate)
{
    uint64_t selector = gate >> 16 & 0xffff;
    bool is_reserved = !(selector & 4) && selector >= FIRST_RESERVED_GDT_BYTE;
#ifdef __x86_64__
    if ((gate >> 32 & 0xff) || (is_reserved && selector != FLAT_KERNEL_CS))
        return 0;
    return (gate | 3ull << 16) & ~(3ull << 45);
#else
    bool is_flat = selector >> 2 == FLAT_RING1_CS >> 2 || selector >> 2 == FLAT_RING3_CS >> 2;
    if ((gate >> 37 & 7) || (is_reserved && !is_flat))
        return 0;
    /* Its level stands in the selector; one of level 0 is taken for such a one. */
    uint64_t level = gate >> 45 & 3;
    return level ? (gate & ~(3ull << 16 | 3ull << 45)) | level << 16 : gate;
#endif
}

/* By its type: segments, gates, and what is neither. */
static uint64_t stored_as(uint64_t descriptor)
{
    unsigned int type = descriptor >> 40 & 31;
    if (type >= 16)
        return descriptor_stored(descriptor);
    return type == 12 ? gate_stored(descriptor) : type ? 0 : descriptor;
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
        try_descriptor(bits, stored_as(bits));
        try_descriptor(bits | ring3, stored_as(bits | ring3));
    }
    static const uint64_t gates[] = {
        0,      0x08,   0x0c,   0xdff8, 0xe000, 0xe008, 0xe023, 0xe020,
        0xe02b, 0xe033, 0xe030, 0xe032, 0xe034, 0xe053, 0xfffb, 0xfffc,
#ifdef __i386__
        0xe018, 0xe019, 0xe01b, 0xe028,
#endif
    };
    for (unsigned int i = 0; i < sizeof(gates) / sizeof(gates[0]); i++)
        try_descriptor(0x0000ec0000000000 | gates[i] << 16,
                       stored_as(0x0000ec0000000000 | gates[i] << 16));
    for (unsigned int bit = 0; bit < 8; bit++)
        try_descriptor(0x0000ec0000080000 | 1ull << (32 + bit),
                       stored_as(0x0000ec0000080000 | 1ull << (32 + bit)));
    try_descriptor(0xffffec0000080000, stored_as(0xffffec0000080000));
    /* Its error code depends on who finds out. */
    uint32_t pointer[2] = {0, 4 << 3 | 3};
    fault_t fault = TRY("lcall *(%0)", : : "r"(pointer) : "memory");
    expect_true("a call through the gate is a #GP", FAULT_VECTOR(fault) == VECTOR_GP);
}
