/*
 * test: mmu-update-errors
 * mmu_update refuses what would break isolation: targets that are not the domain's, frames beyond
 * memory, tables mapped writable (-EBUSY: the frame is in use as a table), tables of a wrong level,
 * large pages, slots of the hypervisor in the top table. Nothing changes then.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

void test_main(void)
{
    void *page = page_alloc();
    if (map(AREA, pte_make(mfn_of(page), PTE_READ_WRITE)))
        panic("cannot map");
    pte_t *entry = entry_of(top_table(), AREA, 1);
    pte_t before = *entry;
    uint64_t pointer = machine_address(entry);
    struct mmu_update update = {.ptr = pointer, .val = 0};
    uint32_t done;
    unsigned int count;

    expect_result("array at an unmapped address",
                  HYPERVISOR_mmu_update((struct mmu_update *)UNMAPPED_ADDRESS, 1, 0, DOMID_SELF),
                  -XEN_EFAULT);
    expect_result("array in the hypervisor's range",
                  HYPERVISOR_mmu_update((struct mmu_update *)HYPERVISOR_ADDRESS, 1, 0, DOMID_SELF),
                  -XEN_EFAULT);
    expect_result("domain that does not exist", HYPERVISOR_mmu_update(&update, 1, &done, 77),
                  -XEN_ESRCH);
    expect_result("target beyond memory", mmu_update_one(0x000fffffff000000ull, 0), -XEN_EINVAL);
    expect_result("target in the hypervisor's memory",
                  mmu_update_one((uint64_t)0x100000, 0), -XEN_EINVAL);

    expect_result("map a frame beyond memory", entry_write(entry, pte_make(0xfffffffff, PTE_READ_WRITE)),
                  -XEN_EPERM);
    expect_result("map the top table writable",
                  entry_write(entry, pte_make(mfn_of(top_table()), PTE_READ_WRITE)), -XEN_EBUSY);
    expect_result("map the own table writable",
                  entry_write(entry, pte_make(mfn_of(entry), PTE_READ_WRITE)), -XEN_EBUSY);
    expect_result("map the top table read-only",
                  entry_write(entry, pte_make(mfn_of(top_table()), PTE_READ_ONLY)), 0);
    expect_result("back", entry_write(entry, before), 0);

    pte_t *slot = entry_of(top_table(), AREA, PAGING_LEVELS);
    pte_t *middle = entry_of(top_table(), AREA, PAGING_LEVELS - 1);
    expect_result(PAGING_LEVELS == 4 ? "an L1 table in an L3 entry" : "an L2 table in an L2 entry",
                  entry_write(middle, pte_make(mfn_of(PAGING_LEVELS == 4 ? entry : middle), PTE_TABLE)), -XEN_EINVAL);
    expect_result(PAGING_LEVELS == 4 ? "an ordinary page in an L4 entry" : "an ordinary page in an L3 entry",
                  entry_write(slot, pte_make(mfn_of(page), PTE_TABLE)), -XEN_EINVAL);
    expect_result(PAGING_LEVELS == 4 ? "PSE in an L3 entry" : "PSE in an L2 entry", entry_write(middle, *middle | PTE_LARGE), -XEN_EINVAL);
    expect_result(PAGING_LEVELS == 4 ? "PSE in an L4 entry" : "PSE in an L3 entry", entry_write(slot, *slot | PTE_LARGE), -XEN_EINVAL);
    expect_result("slot of the hypervisor",
                  entry_write(&hypervisor_slots(top_table(), &count)[0], 0), -XEN_EINVAL);
    expect_result("last slot of the hypervisor", entry_write(&hypervisor_slots(top_table(), &count)[count - 1], 0), -XEN_EINVAL);
    expect_true("the entry is as before", (*entry & ~(PTE_ACCESSED | PTE_DIRTY)) ==
                                              (before & ~(PTE_ACCESSED | PTE_DIRTY)));
    expect_result("command 3 on the own domain", mmu_update_one(pointer | 3, before), 0);
}
