/*
 * test: attack-reservation
 * Asks for more memory than there may be, in every size and number, and gives back more than there
 * is. A careless hypervisor multiplies number by size without looking at overflow, or hands out the
 * memory of others.
 */
#include "guest.h"

static xen_pfn_t frames[64];

static long ask(uint32_t command, uint64_t number, uint32_t order, void *start)
{
    struct xen_memory_reservation list = {
        .extent_start = start, .nr_extents = number, .extent_order = order, .domid = DOMID_SELF};
    return HYPERVISOR_memory_op(command, &list);
}

/* The first frame behind all of the domain's. */
static mfn_t frame_behind(void)
{
    mfn_t last = 0;
    for (pfn_t pfn = 0; pfn < start_info->nr_pages; pfn++)
        if (mfn_of_pfn(pfn) > last)
            last = mfn_of_pfn(pfn);
    return last + 1;
}

void test_main(void)
{
    static const uint32_t orders[] = {10, 18, 20, 31,         32,         51,        52,
                                      62, 63, 64, 0x7fffffff, 0x80000000, 0xffffffff};
    static const uint32_t commands[] = {XENMEM_increase_reservation, XENMEM_decrease_reservation,
                                        XENMEM_populate_physmap};
    long done = 0;
    for (unsigned int i = 0; i < 13; i++)
        for (unsigned int j = 0; j < 3; j++) {
            frames[0] = commands[j] == XENMEM_decrease_reservation ? frame_behind()
                                                                   : start_info->nr_pages + 1024;
            if (orders[i] == 10 && commands[j] != XENMEM_decrease_reservation)
                continue; /* Domain 0 may have as much. */
            done += ask(commands[j], 1, orders[i], frames) > 0;
        }
    expect_value("huge extents done", (uint64_t)done, 0);
    static const uint64_t numbers[] = {~0ul, 1ull << 63, 1ull << 61, 1ull << 52, 1ull << 32};
    done = 0;
    for (unsigned int i = 0; i < 5; i++)
        for (unsigned int j = 0; j < 3; j++)
            done += ask(commands[j], numbers[i], 0, (void *)HYPERVISOR_ADDRESS) > 0;
    expect_value("long lists in the hypervisor done", (uint64_t)done, 0);
    /* Results go to a page table: the frames must not be lost, nor the table written. */
    pte_t *top = top_table(), before = top[8];
    ask(XENMEM_increase_reservation, 1, 0, &top[8]);
    ask(XENMEM_populate_physmap, 1, 0, &top[8]);
    expect_true("the top table is not a place for results", top[8] == before);
    for (unsigned int i = 0; i < 64; i++)
        frames[i] = 0xfffffffff - i;
    expect_result("giving frames beyond memory", ask(XENMEM_decrease_reservation, 64, 0, frames),
                  0);
    /* A thousand times up and down: nothing may be lost on the way. */
    unsigned int up = 0, down = 0;
    for (unsigned int i = 0; i < 1000; i++) {
        frames[0] = start_info->nr_pages + 2048;
        if (ask(XENMEM_decrease_reservation, 0, 0, frames) == 0)
            down++;
        domid_t self = DOMID_SELF;
        up += HYPERVISOR_memory_op(XENMEM_current_reservation, &self) > 0;
    }
    expect_true("counted on", up == 1000 && down == 1000);
    refused("reservation of the hypervisor", ({
                domid_t id = DOMID_XEN;
                HYPERVISOR_memory_op(XENMEM_current_reservation, &id);
            }));
    refused("reservation of the idle domain", ({
                domid_t id = 0x7fff;
                HYPERVISOR_memory_op(XENMEM_current_reservation, &id);
            }));
}
