/*
 * test: attack-exchange
 * memory_exchange with page tables and frames of others as input, lists at bad addresses, sizes
 * that do not match or wrap. A careless hypervisor takes pages first and checks the output later
 * (XSA-212 was a missing check of exactly this array).
 */
#include "guest.h"

static xen_pfn_t in[4], out[4];

static struct xen_memory_exchange fresh(void)
{
    return (struct xen_memory_exchange){
        .in = {.extent_start = in, .nr_extents = 1, .domid = DOMID_SELF},
        .out = {.extent_start = out, .nr_extents = 1, .domid = DOMID_SELF}};
}

static long exchange(struct xen_memory_exchange call)
{
    return HYPERVISOR_memory_op(XENMEM_exchange, &call);
}

static long output_at(void *pointer)
{
    struct xen_memory_exchange call = fresh();
    call.out.extent_start = pointer;
    return exchange(call);
}

void test_main(void)
{
    const uint64_t bad[] = {HYPERVISOR_ADDRESS, hypervisor_start(), NON_CANONICAL_ADDRESS,
                                   HYPERVISOR_IMAGE};
    uint64_t *page = page_alloc();
    page[3] = 0x777;
    mfn_t before = mfn_of(page);
    refusals_begin();
    for (unsigned int i = 0; i < 4; i++) {
        in[0] = before;
        out[0] = pfn_of(page);
        struct xen_memory_exchange call = fresh();
        call.in.extent_start = (void *)bad[i];
        refusal(exchange(call), bad[i]);
        refusal(output_at((void *)bad[i]), bad[i] + 1);
        /* An index so large that the address of the element wraps into the hypervisor. */
        call = fresh();
        call.nr_exchanged = (bad[i] - (uint64_t)out) / 8;
        call.in.nr_extents = call.out.nr_extents = call.nr_exchanged + 1;
        refusal(exchange(call), bad[i] + 2);
    }
    refusals_end("lists in the hypervisor");
    refusals_begin();
    mfn_t frames[] = {mfn_of(top_table()), mfn_of(entry_of(top_table(), (uint64_t)page, 1)),
                      0xfffffffff, 0x100, ~0ul};
    for (unsigned int i = 0; i < 5; i++) {
        in[0] = frames[i];
        out[0] = start_info->nr_pages + i;
        refusal(exchange(fresh()), frames[i]);
    }
    refusals_end("frames in use or of others");
    in[0] = before;
    struct xen_memory_exchange call = fresh();
    call.out.nr_extents = 2;
    refused("more out than in", exchange(call));
    call = fresh();
    call.out.extent_order = 9;
    refused("larger out than in", exchange(call));
    call = fresh();
    call.in.nr_extents = call.out.nr_extents = ~0ul;
    refused("all numbers", exchange(call));
    call = fresh();
    call.in.extent_order = call.out.extent_order = 63;
    refused("extents of 2 to the 63 pages", exchange(call));
    call = fresh();
    call.nr_exchanged = 2;
    refused("more done than asked for", exchange(call));
    call = fresh();
    call.out.domid = 77;
    refused("from another domain", exchange(call));
    expect_true("the page is where it was", page[3] == 0x777 && mfn_of(page) == before);
}
