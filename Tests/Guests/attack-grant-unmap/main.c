/*
 * test: attack-grant-unmap
 * Unmaps what is not mapped: twice, by handles of all sizes, with device addresses and places that
 * are another mapping's; and takes a mapping away by update_va_mapping instead: the granter sees it
 * in use as long as it is not unmapped. No page table can be made of a frame that is mapped.
 */
#include "guest.h"

void test_main(void)
{
    grants_initialise(1);
    uint64_t at = (uint64_t)page_alloc(), other = (uint64_t)page_alloc();
    uint64_t *page = page_alloc();
    mfn_t mfn = mfn_of(page);
    uint64_t device = mfn << XEN_PAGE_SHIFT;
    grant_handle_t handle, second;
    grant_access(8, own_domain(), mfn, GTF_permit_access);
    expect_status("map", grant_map(own_domain(), 8, GNTMAP_host_map, at, &handle), GNTST_okay);
    expect_status("unmap", grant_unmap(handle, at, 0), GNTST_okay);
    refusals_begin();
    for (unsigned int i = 0; i < 100; i++)
        refusal(grant_unmap(handle, at, device), i);
    for (uint64_t bit = 1; bit < 1ull << 32; bit <<= 1)
        refusal(grant_unmap(handle + (uint32_t)bit, at, device), bit);
    for (unsigned int i = 0; i < 2000; i++)
        refusal(grant_unmap((uint32_t)random_next(), at, device), i);
    refusals_end("handles of nothing");

    uint32_t both = GNTMAP_host_map | GNTMAP_device_map;
    expect_status("map", grant_map(own_domain(), 8, both, at, &handle), GNTST_okay);
    refusals_begin();
    for (unsigned int bit = 0; bit < 64; bit++)
        refusal(grant_unmap(handle, at, device ^ 1ull << bit), bit);
    refusal(grant_unmap(handle, other, device), 100);
    refusal(grant_unmap(handle, (uint64_t)page & ~0x1ffffful, device), 101);
    refusal(grant_unmap(handle, UNMAPPED_ADDRESS, device), 102);
    refusal(grant_unmap(handle, HYPERVISOR_ADDRESS, device), 103);
    refusal(grant_unmap(handle, NON_CANONICAL_ADDRESS, device), 104);
    refusals_end("addresses of something else");
    expect_value("still in use", grant_entry(8)->flags & GTF_writing, GTF_writing);
    expect_status("unmap both", grant_unmap(handle, at, device), GNTST_okay);
    expect_true("taken back", grant_end(8));

    grant_access(8, own_domain(), mfn, GTF_permit_access);
    expect_status("map", grant_map(own_domain(), 8, GNTMAP_host_map, at, &handle), GNTST_okay);
    page_read_only(page);
    refused("pin the frame as a page table", mmuext_frame(MMUEXT_PIN_L1_TABLE, mfn));
    page_writable(page);
    expect_result("take the entry away", HYPERVISOR_update_va_mapping(at, 0, UVMF_INVLPG), 0);
    expect_status("unmap", grant_unmap(handle, at, 0), GNTST_general_error);
    expect_true("the granter still sees it", !grant_end(8));

    expect_status("map over an entry", grant_map(own_domain(), 8, GNTMAP_host_map, other, &second),
                  GNTST_okay);
    expect_status("unmap the first there", grant_unmap(handle, other, 0), GNTST_okay);
    expect_status("and the second", grant_unmap(second, other, 0), GNTST_general_error);
    expect_true("the granter still sees it", !grant_end(8));
}
