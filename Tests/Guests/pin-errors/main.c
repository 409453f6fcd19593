/*
 * test: pin-errors
 * Pinning refuses pages that are mapped writable, tables with bad entries, tables of another level,
 * a second pin and frames that are not the domain's. Unpinning refuses what is not pinned.
 */
#include "guest.h"

static long pin(unsigned int level, void *page)
{
    return mmuext_frame(MMUEXT_PIN_L1_TABLE + level - 1, mfn_of(page));
}

static long unpin(void *page)
{
    return mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(page));
}

void test_main(void)
{
    pte_t *page = page_alloc();
    for (unsigned int level = 1; level <= 4; level++) {
        print("level %u ", level);
        expect_result("mapped writable", pin(level, page), -XEN_EINVAL);
    }
    expect_result("unpin a page that is no table", unpin(page), -XEN_EINVAL);
    expect_result("pin a frame beyond memory", mmuext_frame(MMUEXT_PIN_L1_TABLE, 0xfffffffff),
                  -XEN_EINVAL);
    expect_result("unpin a frame beyond memory", mmuext_frame(MMUEXT_UNPIN_TABLE, 0xfffffffff),
                  -XEN_EINVAL);
    expect_result("pin the hypervisor's frame", mmuext_frame(MMUEXT_PIN_L1_TABLE, 0x100),
                  -XEN_EINVAL);

    page_read_only(page);
    expect_result("pin as level 1", pin(1, page), 0);
    expect_result("pin again", pin(1, page), -XEN_EINVAL);
    expect_result("pin as level 2", pin(2, page), -XEN_EINVAL);
    expect_result("pin as level 4", pin(4, page), -XEN_EINVAL);
    expect_result("unpin", unpin(page), 0);
    expect_result("unpin again", unpin(page), -XEN_EINVAL);

    /* An entry of a bad table, one after the other. */
    page_writable(page);
    page[7] = pte_make(mfn_of(top_table()), PTE_READ_WRITE);
    page_read_only(page);
    expect_result("L1 entry with the frame of a table, writable", pin(1, page), -XEN_EBUSY);
    page_writable(page);
    page[7] = pte_make(0xfffffffff, PTE_READ_WRITE);
    page_read_only(page);
    expect_result("L1 entry with a frame beyond memory", pin(1, page), -XEN_EPERM);
    page_writable(page);
    page[7] = pte_make(mfn_of(page_alloc()), PTE_TABLE);
    page_read_only(page);
    expect_result("L2 entry with an ordinary page", pin(2, page), -XEN_EINVAL);
    expect_result("L3 entry with an ordinary page", pin(3, page), -XEN_EINVAL);
    expect_result("L4 entry with an ordinary page", pin(4, page), -XEN_EINVAL);
    expect_result("the same as L1 entry", pin(1, page), 0);
    expect_result("unpin", unpin(page), 0);
    page_writable(page);
    page[7] = pte_make(mfn_of(page), PTE_READ_WRITE);
    page_read_only(page);
    expect_result("L1 entry that maps its own table writable", pin(1, page), -XEN_EBUSY);
    page_writable(page);
    page[7] = ~PTE_PRESENT;
    page_read_only(page);
    expect_result("L1 entry that is not present, any bits", pin(1, page), 0);
    expect_result("unpin", unpin(page), 0);
}
