/*
 * test: attack-grant-tables
 * Grants its own page tables and descriptor tables to itself, to map them writable and to copy
 * into them; and names words that are no entries as the place of a mapping. A mapping that is
 * read-only cannot be written.
 */
#include "guest.h"

static int copy_into(struct gnttab_copy_ptr to, mfn_t from, bool by_grant)
{
    return grant_copy((struct gnttab_copy){.source = copy_frame(from, 0),
                                           .dest = to,
                                           .len = 8,
                                           .flags = by_grant ? GNTCOPY_dest_gref : 0});
}

void test_main(void)
{
    grants_initialise(1);
    uint64_t *page = page_alloc(), *descriptors = page_alloc();
    uint64_t *target = page_alloc();
    uint64_t at = (uint64_t)target, before[6];
    page[0] = pte_make(mfn_of(top_table()), PTE_READ_WRITE);
    page_read_only(descriptors);
    xen_pfn_t gdt = mfn_of(descriptors);
    if (HYPERVISOR_set_gdt(&gdt, 512))
        panic("set_gdt");
    mfn_t tables[5];
    tables[0] = mfn_of(top_table());
    for (unsigned int level = 4; level > 1; level--)
        tables[5 - level] = pte_frame(*entry_of(top_table(), at, level));
    tables[4] = gdt;
    for (unsigned int i = 0; i < 5; i++)
        before[i] = *(uint64_t *)address_of_mfn(tables[i]);
    grant_handle_t handle;
    refusals_begin();
    for (unsigned int i = 0; i < 5; i++) {
        grant_access(8, own_domain(), tables[i], GTF_permit_access);
        refusal(grant_map(own_domain(), 8, GNTMAP_host_map, at, &handle), i);
        refusal(grant_map(own_domain(), 8, GNTMAP_device_map, at, &handle), i);
        refusal(copy_into(copy_grant(own_domain(), 8, 0), mfn_of(page), true), i);
        refusal(copy_into(copy_frame(tables[i], 0), mfn_of(page), false), i);
    }
    refusals_end("tables as writable memory");
    bool changed = false;
    for (unsigned int i = 0; i < 5; i++)
        changed |= ((*(uint64_t *)address_of_mfn(tables[i]) ^ before[i]) &
                    ~(PTE_ACCESSED | PTE_DIRTY)) != 0;
    expect_true("they are as they were", !changed);

    /* Of level 2: stores to the last level may be emulated. */
    grant_access(8, own_domain(), tables[2], GTF_permit_access);
    expect_status("map one read-only",
                  grant_map(own_domain(), 8, GNTMAP_host_map | GNTMAP_readonly, at, &handle), GNTST_okay);
    mmuext_address(MMUEXT_INVLPG_LOCAL, at);
    faulted("write to it", try_write((void *)(at + 8), 0));
    refused("make the mapping writable",
            HYPERVISOR_update_va_mapping(at, pte_make(tables[2], PTE_READ_WRITE), UVMF_INVLPG));
    expect_status("unmap", grant_unmap(handle, at, 0), GNTST_okay);

    grant_access(8, own_domain(), mfn_of(page), GTF_permit_access);
    uint64_t slot = machine_address(entry_of(top_table(), at, 1));
    uint32_t flags = GNTMAP_host_map | GNTMAP_contains_pte;
    const uint64_t places[] = {
        machine_address(top_table()),      machine_address(&top_table()[256]),
        machine_address(&top_table()[TOP_LAST]), machine_address(entry_of(top_table(), at, 2)),
        machine_address(page),             machine_address(descriptors),
        slot | 1,                          slot | 4,
        0,                                 0x1000,
        0xfee00000,                        0x100000000000,
        ~0ul,                              ~7ul,
        (uint64_t)page,                    grant_frame(0) << XEN_PAGE_SHIFT,
    };
    refusals_begin();
    for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        refusal(grant_map(own_domain(), 8, flags, places[i], &handle), places[i]);
    refusals_end("words that are no last-level entry");
    expect_value("nothing is marked", grant_entry(8)->flags, GTF_permit_access);
}
