/* Frames and page tables. */
#include "memory.h"

#include "report.h"
#include "system.h"
#include "text.h"

#define POOL_PAGES 192

static uint8_t pool[POOL_PAGES][PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static unsigned int pool_used;

pfn_t pfn_of(const volatile void *address)
{
    return ((uintptr_t)address - GUEST_VIRT_BASE) >> XEN_PAGE_SHIFT;
}

mfn_t mfn_of_pfn(pfn_t pfn)
{
    return ((const unsigned long *)start_info->mfn_list)[pfn];
}

mfn_t mfn_of(const volatile void *address)
{
    return mfn_of_pfn(pfn_of(address));
}

pfn_t pfn_of_mfn(mfn_t mfn)
{
    return machine_to_physical()[mfn];
}

void *address_of_mfn(mfn_t mfn)
{
    return (void *)(GUEST_VIRT_BASE + ((uintptr_t)pfn_of_mfn(mfn) << XEN_PAGE_SHIFT));
}

uint64_t machine_address(const volatile void *address)
{
    return mfn_of(address) << XEN_PAGE_SHIFT | ((uintptr_t)address & (PAGE_SIZE - 1));
}

void *page_alloc(void)
{
    if (pool_used == POOL_PAGES)
        panic("the guest's pool of pages is empty");
    return pool[pool_used++];
}

pte_t *top_table(void)
{
    return (pte_t *)start_info->pt_base;
}

unsigned int table_index(uint64_t address, unsigned int level)
{
    return (unsigned int)(address >> (XEN_PAGE_SHIFT + 9 * (level - 1))) & 511;
}

pte_t *entry_of(pte_t *top, uint64_t address, unsigned int level)
{
    pte_t *table = top;
    for (unsigned int at = PAGING_LEVELS; at > level; at--) {
        pte_t entry = table[table_index(address, at)];
        if (!(entry & PTE_PRESENT))
            return 0;
        table = address_of_mfn(pte_frame(entry));
    }
    return &table[table_index(address, level)];
}

long mmu_update_one(uint64_t pointer, uint64_t value)
{
    struct mmu_update update = {.ptr = pointer, .val = value};
    return HYPERVISOR_mmu_update(&update, 1, 0, DOMID_SELF);
}

long entry_write(pte_t *entry, pte_t value)
{
    return mmu_update_one(machine_address(entry) | MMU_NORMAL_PT_UPDATE, value);
}

long mmuext_frame(unsigned int command, mfn_t mfn)
{
    struct mmuext_op op = {.cmd = command, .arg1.mfn = mfn};
    return HYPERVISOR_mmuext_op(&op, 1, 0, DOMID_SELF);
}

long mmuext_address(unsigned int command, uint64_t address)
{
    struct mmuext_op op = {.cmd = command, .arg1.linear_addr = address};
    return HYPERVISOR_mmuext_op(&op, 1, 0, DOMID_SELF);
}

long page_set_flags(void *page, pte_t flags)
{
    return HYPERVISOR_update_va_mapping((unsigned long)page, pte_make(mfn_of(page), flags),
                                        UVMF_INVLPG);
}

void page_read_only(void *page)
{
    long result = page_set_flags(page, PTE_READ_ONLY);
    if (result)
        panic("a page cannot be made read-only: %E", result);
}

void page_writable(void *page)
{
    long result = page_set_flags(page, PTE_READ_WRITE);
    if (result)
        panic("a page cannot be made writable: %E", result);
}

long map_in(pte_t *top, uint64_t address, pte_t value)
{
    for (unsigned int level = PAGING_LEVELS; level > 1; level--) {
        pte_t *entry = entry_of(top, address, level);
        if (*entry & PTE_PRESENT)
            continue;
        void *table = page_alloc();
        page_read_only(table);
        long result = entry_write(entry, pte_make(mfn_of(table), table_flags(level)));
        if (result)
            return result;
    }
    return entry_write(entry_of(top, address, 1), value);
}

long map(uint64_t address, pte_t value)
{
    return map_in(top_table(), address, value);
}
