/*
 * test: attack-update-descriptor
 * update_descriptor with every type and privilege, at addresses of tables, of others, misaligned
 * and beyond memory. Into a table in use no present system descriptor may come, and no segment or
 * gate of a ring above the guest's.
 */
#include "guest.h"

void test_main(void)
{
    uint64_t *table = page_alloc();
    page_read_only(table);
    xen_pfn_t frame = mfn_of(table);
    if (HYPERVISOR_set_gdt(&frame, 512))
        panic("set_gdt");
    uint64_t address = machine_address(&table[6]);
    unsigned int privileged = 0, system = 0;
    for (unsigned int access = 0; access < 256; access++)
        for (unsigned int flags = 0; flags < 16; flags++) {
            uint64_t value = 0xff0f000000080000 | (uint64_t)access << 40 | (uint64_t)flags << 52;
            HYPERVISOR_update_descriptor(address, value);
            uint64_t stored = table[6];
            unsigned int kind = stored >> 40 & 31, ring = stored >> 45 & 3;
            if (!(stored >> 47 & 1))
                continue;
            if (kind & 16)
                privileged += ring == 0;
            else if (kind != 0 && !(kind == 12 && (ring == 0 || PAGING_LEVELS == 3)))
                /* Type 0 is reserved, and a call gate of ring 0 is out of reach; attack-32-gates tries those of 32 bits. */
                system++;
        }
    expect_value("segments of ring 0", privileged, 0);
    expect_value("present system descriptors within reach", system, 0);
    refusals_begin();
    for (unsigned int offset = 1; offset < 8; offset++)
        refusal(HYPERVISOR_update_descriptor(address + offset, 0), offset);
    unsigned int count;
    uint64_t places[] = {machine_address(top_table()),
                         machine_address(entry_of(top_table(), (uint64_t)table, 1)),
                         pte_frame(*hypervisor_slots(top_table(), &count)) << 12,
                         0x100000,
                         0xfffffffff000,
                         ~7ul,
                         1ull << 63,
                         start_info->shared_info | 1};
    for (unsigned int i = 0; i < 8; i++)
        refusal(HYPERVISOR_update_descriptor(places[i], 0x00cff3000000ffff), places[i]);
    refusals_end("places that take no descriptor");
}
