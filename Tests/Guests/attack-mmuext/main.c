/*
 * test: attack-mmuext
 * Every mmuext_op command with hostile arguments: addresses of the hypervisor for invlpg, bad maps
 * of processors, page tables and foreign frames to clear and copy, LDTs in the hypervisor, commands
 * that do not exist. Flushes may answer anything; nothing may be written.
 */
#include "guest.h"

static long op(unsigned int command, uint64_t one, uint64_t two)
{
    struct mmuext_op call = {.cmd = command, .arg1.linear_addr = one, .arg2.vcpumask = (void *)two};
    return HYPERVISOR_mmuext_op(&call, 1, 0, DOMID_SELF);
}

void test_main(void)
{
    const uint64_t bad[] = {HYPERVISOR_ADDRESS,
                                   hypervisor_start(),
                                   HYPERVISOR_IMAGE,
                                   NON_CANONICAL_ADDRESS,
                                   0xdeadbeef00000000,
                                   UNMAPPED_ADDRESS,
                                   -1ul,
                                   0};
    for (unsigned int i = 0; i < 8; i++) {
        op(MMUEXT_INVLPG_LOCAL, bad[i], 0);
        op(MMUEXT_INVLPG_ALL, bad[i], 0);
        for (unsigned int j = 0; j < 8; j++) {
            op(MMUEXT_INVLPG_MULTI, bad[i], bad[j]);
            op(MMUEXT_TLB_FLUSH_MULTI, bad[i], bad[j]);
        }
    }
    print("flushes: done\n");
    refusals_begin();
    for (unsigned int i = 0; i < 4; i++) {
        /* arg2 of SET_LDT is the number of entries. */
        refusal(op(MMUEXT_SET_LDT, bad[i], 16), bad[i]);
        refusal(op(MMUEXT_SET_LDT, bad[i], 8192), bad[i]);
    }
    uint64_t page = (uint64_t)page_alloc();
    refusal(op(MMUEXT_SET_LDT, page, 8193), 1);
    refusal(op(MMUEXT_SET_LDT, page, 0xffffffff), 2);
    refusal(op(MMUEXT_SET_LDT, page + 8, 16), 3);
    refusal(op(MMUEXT_SET_LDT, hypervisor_start() - PAGE_SIZE, 8192), 4);
    refusals_end("LDTs in the hypervisor, too long or misaligned");

    pte_t *top = top_table(), before = top[TOP_LAST];
    refusals_begin();
    mfn_t frames[] = {mfn_of(top), mfn_of(entry_of(top, page, 1)), 0xfffffffff, 0x100, ~0ul};
    for (unsigned int i = 0; i < 5; i++) {
        refusal(op(MMUEXT_CLEAR_PAGE, frames[i], 0), frames[i]);
        refusal(op(MMUEXT_COPY_PAGE, frames[i], mfn_of((void *)page)), frames[i]);
    }
    for (unsigned int i = 2; i < 5; i++)
        refusal(op(MMUEXT_COPY_PAGE, mfn_of((void *)page), frames[i]), frames[i]);
    refusals_end("tables and foreign frames as targets");
    expect_true("the top table is as before", top[TOP_LAST] == before);
    refusals_begin();
    for (unsigned int command = 21; command < 64; command++)
        refusal(op(command, page, page), command);
    refusal(op(0x80000000, 0, 0), 0x80000000);
    refusal(op(0xffffffff, 0, 0), 0xffffffff);
    refusals_end("commands that do not exist");
}
