/*
 * test: update-descriptor
 * update_descriptor writes descriptors into tables in use. Segments of another ring are stored with
 * the guest's own, a call gate out of reach, and other system descriptors are refused. On 32 bits so is
 * 64-bit code, and segments end where the hypervisor's addresses begin.
 * Addresses must be aligned and the domain's.
 */
#include "guest.h"

/* A code descriptor of the guest's own width, by its access byte. */
#define CODE(access) ((PAGING_LEVELS == 4 ? 0x00af00000000ffffull : 0x00cf00000000ffffull) | (access##ull << 40))

void test_main(void)
{
    uint64_t *table = page_alloc();
    page_read_only(table);
    xen_pfn_t frame = mfn_of(table);
    if (HYPERVISOR_set_gdt(&frame, 512))
        panic("set_gdt");
    uint64_t address = machine_address(&table[4]);
    static const struct {
        const char *name;
        uint64_t descriptor;
        long result;
        uint64_t stored; /* 0: as segments are. */
    } rows[] = {
        {"data of ring 3", 0x00cff3000000ffff, 0},
        {"data, expand down", 0x00cff7000000ffff, 0},
        {"code of ring 3, 32-bit", 0x00cffb000000ffff, 0},
        {"code of ring 3, 64-bit", 0x00affb000000ffff, PAGING_LEVELS == 4 ? 0 : -XEN_EINVAL},
        {"conforming code of ring 3", CODE(0xff), 0},
        {"data of ring 0", 0x00cf93000000ffff, 0},
        {"data of ring 2", 0x00cfd3000000ffff, 0},
        {"code of ring 0", CODE(0x9b), 0},
        {"a TSS", 0x0000890000000067, -XEN_EINVAL},
        {"an LDT", 0x0000820000000067, -XEN_EINVAL},
        {"an interrupt gate", 0x0000ee0000000000, -XEN_EINVAL},
        {"a trap gate", 0x0000ef0000000000, -XEN_EINVAL},
        {"a call gate", 0x0000ec0000080000, 0, 0x00008c00000b0000},
        {"a task gate", 0x0000e50000080000, -XEN_EINVAL},
        {"nothing", 0, 0},
        {"not present, any bits", 0xffff7fffffffffff, 0},
    };
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t before = table[4];
        expect_result(rows[i].name, HYPERVISOR_update_descriptor(address, rows[i].descriptor),
                      rows[i].result);
        if (rows[i].result && table[4] != before)
            failure("a refused descriptor was written");
        if (!rows[i].result)
            expect_value("  stored", table[4],
                         rows[i].stored ? rows[i].stored : descriptor_stored(rows[i].descriptor));
    }
    expect_result("misaligned address", HYPERVISOR_update_descriptor(address + 4, 0), -XEN_EINVAL);
    expect_result("frame beyond memory",
                  HYPERVISOR_update_descriptor(0x000fffffff000000ull, 0), -XEN_EINVAL);
    expect_result("the hypervisor's memory", HYPERVISOR_update_descriptor(0x100000, 0), -XEN_EINVAL);
    expect_result("a page table", HYPERVISOR_update_descriptor(machine_address(top_table()), 0),
                  -XEN_EINVAL);
    uint64_t *page = page_alloc();
    expect_result("an ordinary page",
                  HYPERVISOR_update_descriptor(machine_address(page), 0x00cff3000000ffff), 0);
    expect_value("it was written", page[0], descriptor_stored(0x00cff3000000ffff));
}
