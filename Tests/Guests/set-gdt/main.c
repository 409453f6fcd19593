/*
 * test: set-gdt
 * A guest brings its own GDT: frames full of acceptable descriptors, mapped read-only everywhere.
 * Its entries can be loaded at once and changed by update_descriptor. Frames in use cannot be
 * mapped writable.
 */
#include "guest.h"

#define DATA_RING3 0x00cff3000000ffffull
#define FS(selector) TRY("movw %w0, %%fs", : : "r"(selector) : "memory")

void test_main(void)
{
    uint64_t *table = page_alloc();
    table[2] = DATA_RING3;
    page_read_only(table);
    xen_pfn_t frame = mfn_of(table);
    expect_result("set_gdt", HYPERVISOR_set_gdt(&frame, 512), 0);
    expect_fault("load entry 2", FS(2 << 3 | 3), NO_FAULT);
    expect_fault("load entry 3, empty", FS(3 << 3 | 3), FAULT(VECTOR_GP, 3 << 3));
    expect_result("map the table writable", page_set_flags(table, PTE_READ_WRITE), -XEN_EBUSY);
    expect_result("write entry 3",
                  HYPERVISOR_update_descriptor(machine_address(&table[3]), DATA_RING3), 0);
    expect_value("entry", table[3], descriptor_stored(DATA_RING3));
    expect_fault("load entry 3", FS(3 << 3 | 3), NO_FAULT);
    expect_fault("load an entry of the hypervisor", FS(FLAT_USER_SS), NO_FAULT);
    FS(0);
    expect_result("no entries", HYPERVISOR_set_gdt(&frame, 0), 0);
    expect_result("map the table writable", page_set_flags(table, PTE_READ_WRITE), 0);
    page_read_only(table);
    expect_result("four entries", HYPERVISOR_set_gdt(&frame, 4), 0);
    expect_fault("load entry 2", FS(2 << 3 | 3), NO_FAULT);
    FS(0);
}
