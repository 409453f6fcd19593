/*
 * test: set-ldt
 * MMUEXT_SET_LDT gives the vcpu an LDT. The table is validated when an entry is first used: until
 * then only its address and size are looked at. A table that cannot be used then is a page fault at the entry.
 */
#include "guest.h"

#define FS(selector) TRY("movw %w0, %%fs", : : "r"(selector) : "memory")

static long set_ldt(const void *table, uint32_t entries)
{
    struct mmuext_op op = {.cmd = MMUEXT_SET_LDT,
                           .arg1.linear_addr = (unsigned long)table,
                           .arg2.nr_ents = entries};
    return HYPERVISOR_mmuext_op(&op, 1, 0, DOMID_SELF);
}

void test_main(void)
{
    uint64_t *table = page_alloc();
    table[1] = 0x00cff3000000ffff;
    page_read_only(table);
    expect_result("set_ldt", set_ldt(table, 4), 0);
    expect_fault("load entry 1", FS(1 << 3 | 7), NO_FAULT);
    expect_fault("load entry 2, empty", FS(2 << 3 | 7), FAULT(VECTOR_GP, 2 << 3 | 4));
    expect_fault("load an entry beyond the table", FS(5 << 3 | 7), FAULT(VECTOR_GP, 5 << 3 | 4));
    expect_result("map the table writable", page_set_flags(table, PTE_READ_WRITE), -XEN_EBUSY);
    expect_result("write entry 2",
                  HYPERVISOR_update_descriptor(machine_address(&table[2]), 0x00cff3000000ffff), 0);
    expect_fault("load entry 2", FS(2 << 3 | 7), NO_FAULT);
    FS(0);
    expect_result("no LDT", set_ldt(0, 0), 0);
    expect_fault("load entry 1", FS(1 << 3 | 7), FAULT(VECTOR_GP, 1 << 3 | 4));
    expect_result("map the table writable", page_set_flags(table, PTE_READ_WRITE), 0);

    expect_result("misaligned", set_ldt((char *)table + 8, 4), -XEN_EINVAL);
    expect_result("too many entries", set_ldt(table, 8193), -XEN_EINVAL);
    expect_result("in the hypervisor's range", set_ldt((void *)hypervisor_start(), 4), -XEN_EINVAL);
    expect_result("mapped writable", set_ldt(table, 4), 0);
    expect_fault("load entry 1", FS(1 << 3 | 7), FAULT(VECTOR_PF, 0));
    expect_true("cr2 is in the table", caught.cr2 == (uint64_t)&table[1]);
    set_ldt(0, 0);
    table[3] = 0x0000890000000067;
    page_read_only(table);
    expect_result("with the descriptor of a TSS", set_ldt(table, 4), 0);
    expect_fault("load entry 1", FS(1 << 3 | 7), FAULT(VECTOR_PF, 0));
    set_ldt(0, 0);
}
