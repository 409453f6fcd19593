/*
 * test: attack-gdt-frames
 * Descriptor tables out of frames that are the hypervisor's, page tables, writable or many times
 * the same, and changes to a table in use behind the hypervisor's back.
 */
#include "guest.h"

void test_main(void)
{
    uint64_t *table = page_alloc();
    mfn_t own = mfn_of(table);
    mfn_t frames[] = {pte_frame(top_table()[256]),
                      mfn_of(top_table()),
                      own,
                      0x100,
                      0xfffffffff,
                      ~0ul,
                      mfn_of(entry_of(top_table(), (uint64_t)table, 1)),
                      1ull << 52 | 5};
    xen_pfn_t list[16];
    refusals_begin();
    for (unsigned int i = 0; i < 8; i++)
        for (unsigned int at = 0; at < 14; at += 13) {
            page_set_flags(table, i == 2 ? PTE_READ_WRITE : PTE_READ_ONLY);
            for (unsigned int j = 0; j < 16; j++)
                list[j] = own;
            list[at] = frames[i];
            if (i == 2)
                list[0] = own;
            refusal(HYPERVISOR_set_gdt(list, 14 * 512), i);
        }
    refusals_end("frames that are no descriptor tables");
    page_read_only(table);
    for (unsigned int j = 0; j < 16; j++)
        list[j] = own;
    refusals_begin();
    static const uint32_t sizes[] = {7169,       8192,       0x10000,     0x7fffffff,
                                     0x80000000, 0xffffffff, 14 * 512 + 1};
    for (unsigned int i = 0; i < 7; i++)
        refusal(HYPERVISOR_set_gdt(list, sizes[i]), sizes[i]);
    refusals_end("sizes that reach the hypervisor's entries");
    expect_result("one frame fourteen times", HYPERVISOR_set_gdt(list, 7168), 0);
    refused("writable while in use", page_set_flags(table, PTE_READ_WRITE));
    refused("a page table while in use", mmuext_frame(MMUEXT_PIN_L1_TABLE, own));
    faulted("a write through the old mapping", try_write(&table[20], 0x00af9b000000ffff));
    expect_value("the entry", table[20], 0);
    expect_result("out of use", HYPERVISOR_set_gdt(list, 0), 0);
    expect_result("writable again", page_set_flags(table, PTE_READ_WRITE), 0);
    expect_result("and a table of pages", page_set_flags(table, PTE_READ_ONLY), 0);
    expect_result("pinned", mmuext_frame(MMUEXT_PIN_L1_TABLE, own), 0);
    refused("a descriptor table then", HYPERVISOR_set_gdt(list, 512));
    refused("a descriptor by hypercall",
            HYPERVISOR_update_descriptor(own << 12, 0x00cff3000000ffff));
    expect_result("unpinned", mmuext_frame(MMUEXT_UNPIN_TABLE, own), 0);
}
