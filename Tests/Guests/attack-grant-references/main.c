/*
 * test: attack-grant-references
 * Asks for grants that nobody gave: references and domains of all sizes, entries with every
 * combination of flags but a right one, and frames that are not the granter's to give.
 */
#include "guest.h"

void test_main(void)
{
    grants_initialise(2);
    uint64_t at = (uint64_t)page_alloc();
    mfn_t mfn = mfn_of(page_alloc());
    grant_handle_t handle;
    grant_access(8, own_domain(), mfn, GTF_permit_access);

    static const uint32_t references[] = {1024, 1025, 0x7fffffff, 0x80000000, 0x20000000,
                                          0x40000000, 0xfffffff8, 0xffffffff};
    refusals_begin();
    for (unsigned int i = 0; i < sizeof(references) / sizeof(references[0]); i++)
        refusal(grant_map(own_domain(), references[i], GNTMAP_host_map, at, &handle), references[i]);
    for (unsigned int i = 0; i < 2000; i++)
        refusal(grant_map(own_domain(), 1024 + (uint32_t)(random_next() >> 33), GNTMAP_host_map, at, &handle),
                i);
    refusals_end("references beyond the table");

    refusals_begin();
    for (unsigned int domain = 1; domain < 0x10000; domain += domain < 64 ? 1 : 509) {
        /* Where it is domain 1, domain 0 is another. */
        domid_t other = domain == own_domain() ? 0 : (domid_t)domain;
        refusal(grant_map(other, 8, GNTMAP_host_map, at, &handle), domain);
    }
    for (unsigned int domain = 0x7fe0; domain < 0x8010; domain++)
        refusal(grant_map((domid_t)domain, 8, GNTMAP_host_map, at, &handle), domain);
    refusals_end("other domains");

    refusals_begin();
    for (unsigned int flags = 0; flags < 0x10000; flags += 7) {
        if ((flags & GTF_type_mask) == GTF_permit_access)
            continue;
        grant_access(9, own_domain(), mfn, (uint16_t)flags);
        refusal(grant_map(own_domain(), 9, GNTMAP_host_map, at, &handle), flags);
    }
    refusals_end("entries of another type");

    static const uint32_t frames[] = {0, 1, 0x9f, 0xa0, 0xb8, 0xf0, 0x100, 0x200, 0x300, 0xfec00,
                                      0xfee00, 0x100000, 0xffffff, 0x7fffffff, 0x80000000,
                                      0xffffffff};
    refusals_begin();
    for (unsigned int i = 0; i < sizeof(frames) / sizeof(frames[0]); i++) {
        pfn_t pfn = frames[i] < 0x10000 ? pfn_of_mfn(frames[i]) : ~0ul;
        if (pfn < start_info->nr_pages && mfn_of_pfn(pfn) == frames[i])
            continue;
        grant_access(9, own_domain(), frames[i], GTF_permit_access);
        refusal(grant_map(own_domain(), 9, GNTMAP_host_map | GNTMAP_readonly, at, &handle), frames[i]);
        refusal(grant_map(own_domain(), 9, GNTMAP_device_map, at, &handle), frames[i]);
    }
    refusals_end("frames that are not the granter's");
    expect_value("nothing is marked", grant_entry(9)->flags & (GTF_reading | GTF_writing), 0);
    expect_status("the good one", grant_map(own_domain(), 8, GNTMAP_host_map, at, &handle), GNTST_okay);
}
