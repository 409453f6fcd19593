/*
 * test: attack-foreign-domains
 * Names other domains, the hypervisor's pseudo domains and impossible numbers wherever a call takes
 * a domain. Each of them must be refused or do no more than for the caller itself.
 */
#include "guest.h"

void test_main(void)
{
    static const domid_t domains[] = {0,          2,      77,     0x7fef, DOMID_COW, DOMID_INVALID,
                                      DOMID_IDLE, 0x7fff, 0x8000, 0xffff};
    uint64_t *page = page_alloc();
    pte_t *leaf = entry_of(top_table(), (uint64_t)page, 1);
    refusals_begin();
    /* Domain 0 belongs to the list where this is another. */
    unsigned int first = start_info->flags & SIF_INITDOMAIN ? 1 : 0;
    for (unsigned int i = first; i < sizeof(domains) / sizeof(domains[0]); i++) {
        domid_t id = domains[i];
        struct mmu_update update = {.ptr = machine_address(leaf),
                                    .val = pte_make(0x2000, PTE_READ_WRITE)};
        refusal(HYPERVISOR_mmu_update(&update, 1, 0, id), id);
        /* The upper half is whose tables are written, plus one. */
        if (id != 0xffff)
            refusal(HYPERVISOR_mmu_update(&update, 1, 0, (id + 1u) << 16 | DOMID_SELF),
                    (uint32_t)id << 16);
        struct mmuext_op op = {.cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = 0x2000};
        refusal(HYPERVISOR_mmuext_op(&op, 1, 0, id), id);
        refusal(HYPERVISOR_update_va_mapping_otherdomain((uint64_t)page,
                                                         pte_make(0x2000, PTE_READ_WRITE), 0, id),
                id);
        refusal(HYPERVISOR_memory_op(XENMEM_current_reservation, &id), id);
        refusal(HYPERVISOR_memory_op(XENMEM_maximum_gpfn, &id), id);
        xen_pfn_t frame = 0x2000;
        struct xen_memory_reservation list = {.extent_start = &frame, .nr_extents = 1, .domid = id};
        refusal(HYPERVISOR_memory_op(XENMEM_decrease_reservation, &list) - 1, id);
        refusal(HYPERVISOR_memory_op(XENMEM_populate_physmap, &list) - 1, id);
    }
    refusals_end("domains that are none");
    page[0] = 1;
    expect_true("the page is as before", pte_frame(*leaf) == mfn_of(page));
}
