/*
 * test: base-pointers
 * NEW_BASEPTR loads another top table as writing CR3 would; the hypervisor's slots are in it without
 * the guest's doing. NEW_USER_BASEPTR sets or takes away user mode's table. Both refuse frames that
 * cannot be top tables.
 */
#include "guest.h"

#ifdef __x86_64__
#define FIRST_HYPERVISOR_ENTRY top[256]
#else
#define FIRST_HYPERVISOR_ENTRY last[table_index(hypervisor_start(), 2)]
#endif

void test_main(void)
{
    pte_t *top = page_alloc();
    memcpy(top, top_table(), PAGE_SIZE);
#ifdef __x86_64__
    top[5] = 0;
    for (unsigned int slot = 256; slot < 272; slot++)
        top[slot] = 0;
#else
    /* The fourth table of level 2, which has the hypervisor's slots, belongs to one top table. */
    pte_t *last = page_alloc();
    memcpy(last, address_of_mfn(pte_frame(top[3])), PAGE_SIZE);
    for (unsigned int slot = table_index(hypervisor_start(), 2); slot < 512; slot++)
        last[slot] = 0;
    page_read_only(last);
    top[3] = pte_make(mfn_of(last), table_flags(3));
#endif
    page_read_only(top);
    mfn_t old = mfn_of(top_table()), new = mfn_of(top);
    expect_result("load a copy", mmuext_frame(MMUEXT_NEW_BASEPTR, new), 0);
    unsigned long cr3;
    expect_fault("read cr3", TRY("mov %%cr3, %0", : "=r"(cr3)), NO_FAULT);
    expect_true("cr3 names it", CR3_FRAME(cr3) == new);
    expect_true("the hypervisor filled its slots", FIRST_HYPERVISOR_ENTRY & PTE_PRESENT);
    expect_result("map it writable", page_set_flags(top, PTE_READ_WRITE), -XEN_EBUSY);
    expect_result("load the first again", mmuext_frame(MMUEXT_NEW_BASEPTR, old), 0);
    expect_result("the copy is free", page_set_flags(top, PTE_READ_WRITE), 0);

    void *page = page_alloc();
    expect_result("load an ordinary page", mmuext_frame(MMUEXT_NEW_BASEPTR, mfn_of(page)),
                  -XEN_EINVAL);
    expect_result("load a frame beyond memory", mmuext_frame(MMUEXT_NEW_BASEPTR, FRAME_BEYOND),
                  -XEN_EINVAL);
    pte_t *lower = entry_of(top_table(), (uint64_t)page, 1);
    expect_result("load a table of level 1", mmuext_frame(MMUEXT_NEW_BASEPTR, mfn_of(lower)),
                  -XEN_EINVAL);
    expect_fault("the old one is in use", TRY("mov %%cr3, %0", : "=r"(cr3)), NO_FAULT);
    expect_true("cr3 names it", CR3_FRAME(cr3) == old);

#ifdef __x86_64__
    expect_result("no user table", mmuext_frame(MMUEXT_NEW_USER_BASEPTR, 0), 0);
    expect_result("user table: an ordinary page",
                  mmuext_frame(MMUEXT_NEW_USER_BASEPTR, mfn_of(page)), -XEN_EINVAL);
    expect_result("user table: the kernel's", mmuext_frame(MMUEXT_NEW_USER_BASEPTR, old), 0);
    expect_result("none again", mmuext_frame(MMUEXT_NEW_USER_BASEPTR, 0), 0);
#endif
    expect_fault("mov to cr3", TRY("mov %0, %%cr3", : : "r"(CR3_OF(new)) : "memory"),
                 FAULT(VECTOR_GP, 0));
}
