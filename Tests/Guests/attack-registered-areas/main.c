/*
 * test: attack-registered-areas
 * Places that the hypervisor will write to by itself later: vcpu_info, runstate and time areas. A
 * careless hypervisor takes a page table, a descriptor table, a frame of others or an offset that
 * reaches into the next page, and writes there at the next tick.
 */
#include "guest.h"

static long info(mfn_t mfn, uint32_t offset)
{
    struct vcpu_register_vcpu_info area = {.mfn = mfn, .offset = offset};
    return HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &area);
}

static void work(void)
{
    for (unsigned int i = 0; i < 2000; i++)
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
}

void test_main(void)
{
    if (HYPERVISOR_vcpu_op(VCPUOP_is_up, 0, 0) == -XEN_ENOSYS) {
        skip("no vcpu_op");
        return;
    }
    pte_t *top = top_table(), before = top[4];
    uint64_t *table = page_alloc();
    page_read_only(table);
    xen_pfn_t frame = mfn_of(table);
    if (HYPERVISOR_set_gdt(&frame, 512))
        panic("set_gdt");
    refused("vcpu_info in a page table", info(mfn_of(top), 0));
    refused("in a descriptor table", info(frame, 0));
    mfn_t page = mfn_of(page_alloc());
    static const uint32_t offsets[] = {
        PAGE_SIZE - 32, PAGE_SIZE - 63, PAGE_SIZE, 0x7fffffc0, 0x80000000,
        0xffffffc0,     0xffffffff,     4,         1};
    refusals_begin();
    for (unsigned int i = 0; i < 7; i++)
        refusal(info(page, offsets[i]), offsets[i]);
    refusals_end("offsets beyond a page");
    static const mfn_t frames[] = {0xfffffffff, ~0ul, 1ull << 52};
    refusals_begin();
    for (unsigned int i = 0; i < 3; i++)
        refusal(info(frames[i], 0), frames[i]);
    refusals_end("frames of nobody");
    /* Areas by virtual address may be taken, since they are written with the guest's rights. */
    uint64_t places[] = {
        (uint64_t)&top[4],  (uint64_t)table,       HYPERVISOR_ADDRESS,        hypervisor_start(),
        HYPERVISOR_IMAGE, NON_CANONICAL_ADDRESS, NON_CANONICAL_ADDRESS - 8, -8ul,
        UNMAPPED_ADDRESS};
    for (unsigned int i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct vcpu_register_runstate_memory_area area = {.addr.p = places[i]};
        HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area);
        struct vcpu_register_time_memory_area time = {.addr.p = places[i]};
        HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &time);
        work();
    }
    expect_true("the page table is as before", top[4] == before);
    expect_true("and the descriptor table", table[0] == 0 && table[1] == 0 && table[2] == 0);
    expect_true("time goes on", system_time() > 0);
}
