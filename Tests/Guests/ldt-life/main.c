/*
 * test: ldt-life
 * Pages of an LDT are taken one by one when they are used, and kept until the table changes, whatever
 * becomes of their mapping. User mode and iret use them as well; a page that was not there is a page fault,
 * and works after it has been mapped.
 */
#include "guest.h"

#define FS(selector) TRY("movw %w0, %%fs", : : "r"(selector) : "memory")
#define DATA 0x00cff3000000ffff
#define SELECTOR(index) ((index) << 3 | 7)

USER_CODE(user_load, "movw %di, %fs; " SYSTEM_CALL "; ud2");

static long set_ldt(const void *table, uint32_t entries)
{
    struct mmuext_op op = {.cmd = MMUEXT_SET_LDT,
                           .arg1.linear_addr = (unsigned long)table,
                           .arg2.nr_ents = entries};
    return HYPERVISOR_mmuext_op(&op, 1, 0, DOMID_SELF);
}

static fault_t user(uint64_t selector, uint64_t stack_selector)
{
    struct trap_frame frame = user_frame(user_load);
    frame.rdi = selector;
    frame.ss = stack_selector;
    user_run(&frame);
    return FAULT(frame.vector, frame.error_code);
}

void test_main(void)
{
    const uint64_t area = FREE_ADDRESS;
    uint64_t *first = page_alloc(), *second = page_alloc();
    first[1] = second[1] = DATA;
    page_read_only(first);
    page_read_only(second);
    if (map(area, pte_make(mfn_of(first), PTE_READ_ONLY)) || map(area + 8192, 0))
        panic("cannot map");
    expect_result("set_ldt of three pages", set_ldt((void *)area, 3 * 512), 0);
    expect_fault("an entry of the first", FS(SELECTOR(1)), NO_FAULT);
    expect_fault("an entry of the second, not mapped", FS(SELECTOR(513)), FAULT(VECTOR_PF, 0));
    expect_true("cr2 is the entry", caught.cr2 == area + 513 * 8);
    expect_result("map it", map(area + 4096, pte_make(mfn_of(second), PTE_READ_ONLY)), 0);
    expect_fault("an entry of the second", FS(SELECTOR(513)), NO_FAULT);
    expect_result("make it writable", page_set_flags(second, PTE_READ_WRITE), -XEN_EBUSY);
    expect_fault("user mode loads one", user(SELECTOR(513), FLAT_USER_SS), FAULT(ENTRY_SYSCALL, 0));
    expect_fault("user mode loads one of the third page", user(SELECTOR(1025), FLAT_USER_SS),
                 FAULT(VECTOR_PF, PF_USER));
    expect_true("cr2 is the entry", this_vcpu()->arch.cr2 == area + 1025 * 8);
    expect_fault("iret with a stack segment of the LDT", user(0, SELECTOR(1)), FAULT(ENTRY_SYSCALL, 0));
    FS(0);
    expect_result("flush", mmuext_address(MMUEXT_TLB_FLUSH_LOCAL, 0), 0);
    expect_result("unmap the second", map(area + 4096, 0), 0);
    expect_result("make it writable", page_set_flags(second, PTE_READ_WRITE), -XEN_EBUSY);
    expect_fault("an entry of the second", FS(SELECTOR(513)), NO_FAULT);
    FS(0);
    expect_result("the same table again", set_ldt((void *)area, 3 * 512), 0);
    expect_result("make it writable", page_set_flags(second, PTE_READ_WRITE), -XEN_EBUSY);
    expect_result("a table of two pages", set_ldt((void *)area, 2 * 512), 0);
    expect_result("make it writable", page_set_flags(second, PTE_READ_WRITE), 0);
    expect_fault("an entry of the second", FS(SELECTOR(513)), FAULT(VECTOR_PF, 0));
    expect_fault("iret with a stack segment of the LDT", user(0, SELECTOR(1)), FAULT(ENTRY_SYSCALL, 0));
    expect_result("a smaller table", set_ldt((void *)area, 1), 0);
    expect_fault("an entry behind it", FS(SELECTOR(1)), FAULT(VECTOR_GP, 1 << 3 | 4));
    expect_result("no table", set_ldt(0, 0), 0);
    expect_result("make the first writable", page_set_flags(first, PTE_READ_WRITE), 0);
}
