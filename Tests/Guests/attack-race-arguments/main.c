/*
 * test: attack-race-arguments
 * While one vcpu makes hypercalls, the other changes their arguments in memory between a good value
 * and a hostile one. A careless hypervisor reads twice: it checks the one and does the other.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

static struct mmu_update update;
static struct trap_info traps[2];
static volatile struct xen_memory_reservation list;
static pte_t good, hostile;

static void flipping(void)
{
    while (!second_shall_stop()) {
        *(volatile uint64_t *)&update.val = hostile;
        *(volatile unsigned long *)&traps[0].address = NON_CANONICAL_ADDRESS;
        *(volatile unsigned long *)&list.nr_extents = ~0ul;
        barrier();
        *(volatile uint64_t *)&update.val = good;
        *(volatile unsigned long *)&traps[0].address = trap_entries[VECTOR_BR];
        *(volatile unsigned long *)&list.nr_extents = 0;
    }
}

void test_main(void)
{
    uint8_t *page = page_alloc();
    if (map(AREA, 0))
        panic("no tables for the area");
    pte_t *leaf = entry_of(top_table(), AREA, 1);
    good = pte_make(mfn_of(page), PTE_READ_WRITE);
    hostile = pte_make(mfn_of(top_table()), PTE_READ_WRITE);
    update = (struct mmu_update){.ptr = machine_address(leaf), .val = good};
    traps[0] = (struct trap_info){
        .vector = VECTOR_BR, .cs = FLAT_KERNEL_CS, .address = trap_entries[VECTOR_BR]};
    list.extent_start = (void *)HYPERVISOR_ADDRESS;
    list.domid = DOMID_SELF;
    if (!second_start(flipping))
        return;
    unsigned int bad = 0, done = 0, refusals = 0;
    uint64_t start = system_time();
    for (; done < 30000 && system_time() - start < 3 * SECONDS; done++) {
        long result = HYPERVISOR_mmu_update(&update, 1, 0, DOMID_SELF);
        refusals += result != 0;
        bad += pte_frame(*(volatile pte_t *)leaf) == pte_frame(hostile);
        HYPERVISOR_set_trap_table(traps);
        bad += HYPERVISOR_memory_op(XENMEM_populate_physmap, (void *)&list) > 0;
        entry_write(leaf, 0);
    }
    second_stop();
    expect_true("calls were made", done > 0 && refusals <= done);
    expect_value("hostile values that came through", bad, 0);
}
