/*
 * test: attack-free-in-use
 * Gives frames back that are in use: page tables, descriptor tables, pinned and mapped pages. They
 * may leave the reservation, but must not reach anybody else while they can be reached from here:
 * new frames are compared with what was given. Domain 0 of Xen has nobody to take them; what is
 * shown is that they neither come back as fresh frames nor change.
 */
#include "guest.h"

static mfn_t given[8];
static unsigned int gifts;

static void give(const char *what, mfn_t mfn)
{
    xen_pfn_t frame = mfn;
    struct xen_memory_reservation list = {
        .extent_start = &frame, .nr_extents = 1, .domid = DOMID_SELF};
    HYPERVISOR_memory_op(XENMEM_decrease_reservation, &list);
    given[gifts++] = mfn;
}

void test_main(void)
{
    uint64_t *mapped = page_alloc(), *pinned = page_alloc(), *table = page_alloc();
    mapped[1] = 0x1111;
    page_read_only(pinned);
    if (mmuext_frame(MMUEXT_PIN_L1_TABLE, mfn_of(pinned)))
        panic("cannot pin");
    page_read_only(table);
    xen_pfn_t frame = mfn_of(table);
    if (HYPERVISOR_set_gdt(&frame, 512))
        panic("set_gdt");
    mfn_t pinned_frame = mfn_of(pinned);
    give("a mapped page", mfn_of(mapped));
    give("a pinned table", pinned_frame);
    give("the top table", mfn_of(top_table()));
    give("the table of the running code", mfn_of(entry_of(top_table(), (uint64_t)test_main, 1)));
    give("the frame of the descriptor table", frame);

    xen_pfn_t fresh[16];
    for (unsigned int i = 0; i < 16; i++)
        fresh[i] = start_info->nr_pages + i;
    struct xen_memory_reservation list = {
        .extent_start = fresh, .nr_extents = 16, .domid = DOMID_SELF};
    long count = HYPERVISOR_memory_op(XENMEM_populate_physmap, &list);
    bool reused = false;
    for (long i = 0; i < count; i++)
        for (unsigned int j = 0; j < gifts; j++)
            reused |= fresh[i] == given[j];
    expect_true("frames in use are given to nobody", !reused);
    expect_value("the mapped page keeps its content", mapped[1], 0x1111);
    /* The pin may go with the page; a table and writable at once it may never be. */
    long result = page_set_flags(pinned, PTE_READ_WRITE);
    if (result == 0)
        result = mmuext_frame(MMUEXT_PIN_L1_TABLE, pinned_frame);
    refused("the pinned table as writable memory", result);
    expect_true("the top table is still one", (top_table()[TOP_LAST] & PTE_PRESENT) != 0);
}
