/*
 * test: attack-race-grants
 * Vcpu 1 changes the entries of the grant table without end, flags, domain and frame, between an own
 * page, an own page table and memory that is not the domain's; vcpu 0 maps, copies and unmaps by
 * them. Whatever it gets must be the own page, and nothing may be left in use.
 */
#include "guest.h"

#define ENTRIES 4
#define ROUNDS 4000
/* Frames from here on are beyond all memory: those below may be the domain's own, which it may grant. */
#define NOBODYS (1u << 24)

static mfn_t good, table;

static void change_entries(void)
{
    uint64_t state = 88172645463325252ull;
    while (!second_shall_stop()) {
        for (unsigned int i = 0; i < ENTRIES; i++) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            volatile struct grant_entry_v1 *entry = grant_entry(8 + i);
            static const uint16_t flags[] = {GTF_permit_access, GTF_permit_access,
                                             GTF_permit_access | GTF_readonly, GTF_invalid,
                                             GTF_accept_transfer, 0xffff};
            entry->frame = (uint32_t)(state & 3 ? good : state & 4 ? table : state >> 40 | NOBODYS);
            entry->domid = state & 24 ? own_domain() : 5;
            entry->flags = flags[(state >> 8) % 6];
        }
    }
}

void test_main(void)
{
    grants_initialise(1);
    uint64_t *page = page_alloc(), *target = page_alloc();
    uint64_t at = (uint64_t)target;
    good = mfn_of(page);
    table = mfn_of(top_table());
    if (HYPERVISOR_update_va_mapping(at, 0, UVMF_INVLPG))
        panic("the target cannot be unmapped");
    if (!second_start(change_entries))
        return;
    unsigned int mapped = 0, copied = 0, wrong = 0, stuck = 0;
    /* With one processor vcpu 1 changes nothing before it gets its turn. */
    for (unsigned int i = 0; i < ROUNDS || ((!mapped || !copied) && i < 50 * ROUNDS); i++) {
        grant_handle_t handle;
        if (i % 256 == 0)
            HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
        unsigned int reference = 8 + (unsigned int)(random_next() % ENTRIES);
        bool readonly = random_next() & 1;
        uint32_t flags = GNTMAP_host_map | (readonly ? GNTMAP_readonly : 0);
        if (grant_map(own_domain(), reference, flags, at, &handle) == GNTST_okay) {
            mfn_t mfn = pte_frame(*entry_of(top_table(), at, 1));
            mapped++;
            wrong += mfn != good && !(readonly && pfn_of_mfn(mfn) < start_info->nr_pages);
            stuck += grant_unmap(handle, at, 0) != GNTST_okay;
        }
        copied += grant_copy((struct gnttab_copy){.source = copy_frame(good, 0),
                                                  .dest = copy_grant(own_domain(), reference, 2048),
                                                  .len = 8,
                                                  .flags = GNTCOPY_dest_gref}) == GNTST_okay;
    }
    second_stop();
    expect_true("some were mapped", mapped > 0);
    expect_true("some were copied to", copied > 0);
    expect_value("frames that nobody granted", wrong, 0);
    expect_value("mappings that cannot be ended", stuck, 0);
    expect_true("the top table is still one", (top_table()[TOP_LAST] & PTE_PRESENT) != 0);
    for (unsigned int i = 0; i < ENTRIES; i++)
        grant_entry(8 + i)->flags = 0;
    struct gnttab_set_version set = {.version = 2};
    expect_result("no entry is in use: set_version",
                  HYPERVISOR_grant_table_op(GNTTABOP_set_version, &set, 1), 0);
}
