/*
 * test: base-pointers
 * NEW_BASEPTR loads another top table as writing CR3 would; the hypervisor's slots are in it without
 * the guest's doing. NEW_USER_BASEPTR sets or takes away user mode's table. Both refuse frames that
 * cannot be top tables.
 */
#include "guest.h"

void test_main(void)
{
    pte_t *top = page_alloc();
    memcpy(top, top_table(), PAGE_SIZE);
    top[5] = 0;
    for (unsigned int slot = 256; slot < 272; slot++)
        top[slot] = 0;
    page_read_only(top);
    mfn_t old = mfn_of(top_table()), new = mfn_of(top);
    expect_result("load a copy", mmuext_frame(MMUEXT_NEW_BASEPTR, new), 0);
    uint64_t cr3;
    expect_fault("read cr3", TRY("movq %%cr3, %0", : "=r"(cr3)), NO_FAULT);
    expect_true("cr3 names it", cr3 >> 12 == new);
    expect_true("the hypervisor filled its slots", top[256] & PTE_PRESENT);
    expect_result("map it writable", page_set_flags(top, PTE_READ_WRITE), -XEN_EBUSY);
    expect_result("load the first again", mmuext_frame(MMUEXT_NEW_BASEPTR, old), 0);
    expect_result("the copy is free", page_set_flags(top, PTE_READ_WRITE), 0);

    void *page = page_alloc();
    expect_result("load an ordinary page", mmuext_frame(MMUEXT_NEW_BASEPTR, mfn_of(page)),
                  -XEN_EINVAL);
    expect_result("load a frame beyond memory", mmuext_frame(MMUEXT_NEW_BASEPTR, 0xfffffffff),
                  -XEN_EINVAL);
    pte_t *lower = entry_of(top_table(), (uint64_t)page, 1);
    expect_result("load a table of level 1", mmuext_frame(MMUEXT_NEW_BASEPTR, mfn_of(lower)),
                  -XEN_EINVAL);
    expect_fault("the old one is in use", TRY("movq %%cr3, %0", : "=r"(cr3)), NO_FAULT);
    expect_true("cr3 names it", cr3 >> 12 == old);

    expect_result("no user table", mmuext_frame(MMUEXT_NEW_USER_BASEPTR, 0), 0);
    expect_result("user table: an ordinary page",
                  mmuext_frame(MMUEXT_NEW_USER_BASEPTR, mfn_of(page)), -XEN_EINVAL);
    expect_result("user table: the kernel's", mmuext_frame(MMUEXT_NEW_USER_BASEPTR, old), 0);
    expect_result("none again", mmuext_frame(MMUEXT_NEW_USER_BASEPTR, 0), 0);
    expect_fault("mov to cr3", TRY("movq %0, %%cr3", : : "r"(new << 12) : "memory"),
                 FAULT(VECTOR_GP, 0));
}
