/*
 * test: set-gdt-errors
 * set_gdt refuses too many entries, frames that are not the domain's or mapped writable, tables
 * with system descriptors and lists that cannot be read. Segments of a higher privilege are taken
 * with the guest's own.
 */
#include "guest.h"

/* A code descriptor of the guest's own width, by its access byte. */
#define CODE(access) ((PAGING_LEVELS == 4 ? 0x00af00000000ffffull : 0x00cf00000000ffffull) | (access##ull << 40))

void test_main(void)
{
    uint64_t *table = page_alloc();
    xen_pfn_t frames[16];
    for (unsigned int i = 0; i < 16; i++)
        frames[i] = mfn_of(table);
    expect_result("a table mapped writable", HYPERVISOR_set_gdt(frames, 512), -XEN_EINVAL);
    page_read_only(table);
    expect_result("as many entries as may be",
                  HYPERVISOR_set_gdt(frames, FIRST_RESERVED_GDT_ENTRY), 0);
    expect_result("one more", HYPERVISOR_set_gdt(frames, FIRST_RESERVED_GDT_ENTRY + 1), -XEN_EINVAL);
    expect_result("all ones", HYPERVISOR_set_gdt(frames, 0xffffffff), -XEN_EINVAL);
    expect_result("list at an unmapped address",
                  HYPERVISOR_set_gdt((xen_pfn_t *)UNMAPPED_ADDRESS, 512), -XEN_EFAULT);
    frames[0] = FRAME_BEYOND;
    expect_result("a frame beyond memory", HYPERVISOR_set_gdt(frames, 512), -XEN_EINVAL);
    frames[0] = mfn_of(top_table());
    expect_result("a page table", HYPERVISOR_set_gdt(frames, 512), -XEN_EINVAL);

    static const struct {
        const char *name;
        uint64_t descriptor;
        long result;
    } rows[] = {
        {"data of ring 3", 0x00cff3000000ffff, 0},
        {"code of ring 3, 64-bit", 0x00affb000000ffff, PAGING_LEVELS == 4 ? 0 : -XEN_EINVAL},
        {"data of ring 0", 0x00cf93000000ffff, 0},
        {"code of ring 0", CODE(0x9b), 0},
        {"data of ring 1", 0x00cfb3000000ffff, 0},
        {"conforming code of ring 0", CODE(0x9f), 0},
        {"a TSS", 0x0000890000000067, -XEN_EINVAL},
        {"an LDT", 0x0000820000000067, -XEN_EINVAL},
        {"an interrupt gate", 0x0000ee0000000000, -XEN_EINVAL},
        {"a call gate", 0x0000ec0000080000, 0},
        {"not present, any bits", 0xffff7fffffffffff, 0},
    };
    HYPERVISOR_set_gdt(frames, 0);
    frames[0] = mfn_of(table);
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        page_writable(table);
        table[5] = rows[i].descriptor;
        page_read_only(table);
        print("with %s, ", rows[i].name);
        expect_result("set_gdt", HYPERVISOR_set_gdt(frames, 512), rows[i].result);
        if (table[5] != rows[i].descriptor)
            print("  it became 0x%lx\n", table[5]);
        HYPERVISOR_set_gdt(frames, 0);
    }
}
