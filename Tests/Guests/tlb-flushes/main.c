/*
 * test: tlb-flushes
 * Every flush of mmuext_op works and makes a change of an entry visible; lists of vcpus must be
 * readable, unknown commands are refused, and a batch stops at its first bad element.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

static uint64_t *pages[2];
static unsigned int turn;
static pte_t *entry;

static void swap(void)
{
    turn ^= 1;
    if (entry_write(entry, pte_make(mfn_of(pages[turn]), PTE_READ_WRITE)))
        panic("cannot map");
}

static void flush(const char *name, struct mmuext_op op)
{
    swap();
    expect_result(name, HYPERVISOR_mmuext_op(&op, 1, 0, DOMID_SELF), 0);
    if (*(volatile uint64_t *)AREA != turn)
        failure("the old page is still seen");
}

void test_main(void)
{
    pages[0] = page_alloc();
    pages[1] = page_alloc();
    *pages[1] = 1;
    if (map(AREA, pte_make(mfn_of(pages[0]), PTE_READ_WRITE)))
        panic("cannot map");
    entry = entry_of(top_table(), AREA, 1);
    static unsigned long vcpus = 1;

    flush("TLB_FLUSH_LOCAL", (struct mmuext_op){.cmd = MMUEXT_TLB_FLUSH_LOCAL});
    flush("INVLPG_LOCAL", (struct mmuext_op){.cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = AREA});
    flush("TLB_FLUSH_MULTI",
          (struct mmuext_op){.cmd = MMUEXT_TLB_FLUSH_MULTI, .arg2.vcpumask = &vcpus});
    flush("INVLPG_MULTI", (struct mmuext_op){.cmd = MMUEXT_INVLPG_MULTI,
                                             .arg1.linear_addr = AREA,
                                             .arg2.vcpumask = &vcpus});
    flush("TLB_FLUSH_ALL", (struct mmuext_op){.cmd = MMUEXT_TLB_FLUSH_ALL});
    flush("INVLPG_ALL", (struct mmuext_op){.cmd = MMUEXT_INVLPG_ALL, .arg1.linear_addr = AREA});

    struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_MULTI, .arg2.vcpumask = (void *)UNMAPPED_ADDRESS};
    expect_result("list of vcpus at an unmapped address",
                  HYPERVISOR_mmuext_op(&op, 1, 0, DOMID_SELF), -XEN_EINVAL);
    expect_result("INVLPG_LOCAL of the hypervisor's range",
                  mmuext_address(MMUEXT_INVLPG_LOCAL, HYPERVISOR_ADDRESS), 0);
#ifdef __x86_64__
    expect_result("INVLPG_LOCAL of a non-canonical address",
                  mmuext_address(MMUEXT_INVLPG_LOCAL, NON_CANONICAL_ADDRESS), 0);
#endif
    expect_result("unknown command", mmuext_frame(14, 0), -XEN_ENOSYS);
    expect_result("unknown command, large", mmuext_frame(1000, 0), -XEN_ENOSYS);

    struct mmuext_op batch[3] = {
        {.cmd = MMUEXT_TLB_FLUSH_LOCAL}, {.cmd = 1000}, {.cmd = MMUEXT_TLB_FLUSH_LOCAL}};
    uint32_t done = 99;
    expect_result("batch with a bad second element",
                  HYPERVISOR_mmuext_op(batch, 3, &done, DOMID_SELF), -XEN_ENOSYS);
    expect_value("done", done, 1);
    batch[1].cmd = MMUEXT_TLB_FLUSH_ALL;
    expect_result("good batch", HYPERVISOR_mmuext_op(batch, 3, &done, DOMID_SELF), 0);
    expect_value("done", done, 3);
    expect_result("array at an unmapped address",
                  HYPERVISOR_mmuext_op((struct mmuext_op *)UNMAPPED_ADDRESS, 1, 0, DOMID_SELF),
                  -XEN_EFAULT);
    expect_result("domain that does not exist", HYPERVISOR_mmuext_op(batch, 1, 0, 77), -XEN_ESRCH);
}
