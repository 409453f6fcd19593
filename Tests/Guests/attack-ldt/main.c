/*
 * test: attack-ldt
 * An LDT full of call gates, task gates and segments of ring 0, then of a page that is a page
 * table. Every selector of it is tried for loads, calls and jumps. The guest must stay in ring 3,
 * and no transfer may reach the address in the gates.
 */
#include "guest.h"

#ifdef __x86_64__
#define WIDE "rex64 "
#else
#define WIDE ""
#endif

static void far_calls(uint16_t selector)
{
    struct {
        uintptr_t offset;
        uint16_t selector;
    } __attribute__((packed)) far = {HYPERVISOR_IMAGE, selector};
    TRY(WIDE "lcall *%0", : : "m"(far) : "memory");
    TRY(WIDE "ljmp *%0", : : "m"(far) : "memory");
    unsigned long wide = selector;
    TRY("movl %k0, %%es", : : "r"(wide));
    TRY("movl %k0, %%fs", : : "r"(wide));
    TRY("lldt %w0", : : "r"(wide));
    TRY("ltr %w0", : : "r"(wide));
}

void test_main(void)
{
    uint64_t *table = page_alloc();
    for (unsigned int i = 0; i < 512; i++)
        table[i] =
            (uint64_t)(0x80 | (i & 0x7f)) << 40 | 0xffff0000e0080000 | (uint64_t)(i >> 7) << 52;
    struct mmuext_op set = {
        .cmd = MMUEXT_SET_LDT, .arg1.linear_addr = (unsigned long)table, .arg2.nr_ents = 512};
    page_read_only(table);
    HYPERVISOR_mmuext_op(&set, 1, 0, DOMID_SELF);
    for (unsigned int i = 0; i < 512; i++)
        far_calls((uint16_t)(i << 3 | 4 | (i & 3)));
    uint16_t cs;
    __asm__ volatile("movw %%cs, %0" : "=r"(cs));
    expect_value("ring after all transfers", cs & 3, FLAT_KERNEL_CS & 3);
    /* A page table as LDT, and one that is writable: neither may be used. */
    set.arg1.linear_addr = (unsigned long)top_table();
    HYPERVISOR_mmuext_op(&set, 1, 0, DOMID_SELF);
    for (unsigned int i = 0; i < 512; i += 3)
        far_calls((uint16_t)(i << 3 | 7));
    expect_true("the top table is still a table",
                mmuext_frame(MMUEXT_NEW_BASEPTR, mfn_of(top_table())) == 0);
    uint64_t *writable = page_alloc();
    set.arg1.linear_addr = (unsigned long)writable;
    HYPERVISOR_mmuext_op(&set, 1, 0, DOMID_SELF);
    for (unsigned int i = 0; i < 512; i++) {
        try_write(&writable[i], 0x00af9b000000ffff);
        far_calls((uint16_t)(i << 3 | 7));
    }
    /* Either the page is no table, or it cannot be written any more. */
    __asm__ volatile("movw %%cs, %0" : "=r"(cs));
    expect_value("ring", cs & 3, FLAT_KERNEL_CS & 3);
    set.arg1.linear_addr = 0;
    set.arg2.nr_ents = 0;
    expect_result("no LDT", HYPERVISOR_mmuext_op(&set, 1, 0, DOMID_SELF), 0);
}
