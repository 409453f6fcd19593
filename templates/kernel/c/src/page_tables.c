/*
 * Page tables under a hypervisor. The processor walks our tables as they are, so the hypervisor
 * must know that they map nothing but our own frames. Hence the rules:
 *     - entries hold machine frames;
 *     - a page that is a table is mapped read-only, everywhere;
 *     - a table in use is changed by hypercall, which checks each new entry.
 * Reading is free: tables are ordinary memory to us.
 */
#include "page_tables.h"

#include "domain.h"
#include "pages.h"

#define ENTRY_FRAME 0x000ffffffffff000ull

uint64_t frame_of_page(size_t page)
{
    return ((const xen_pfn_t *)start_info->mfn_list)[page];
}

uint64_t frame_of(const void *page)
{
    return frame_of_page(((uintptr_t)page - KERNEL_BASE) / PAGE_SIZE);
}

void *page_of_frame(uint64_t frame)
{
    static struct xen_machphys_mapping m2p;
    if (!m2p.v_start && HYPERVISOR_memory_op(XENMEM_machphys_mapping, &m2p))
        panic("the hypervisor has no M2P");
    return (void *)(KERNEL_BASE + ((const xen_pfn_t *)m2p.v_start)[frame] * PAGE_SIZE);
}

/* The entry of a level (LEVELS is the top) that an address goes through; 0: a table above is missing. */
static uint64_t *entry_of(uintptr_t address, unsigned int level)
{
    uint64_t *table = (uint64_t *)start_info->pt_base;
    for (unsigned int at = LEVELS;; at--) {
        uint64_t *entry = &table[address >> (12 + 9 * (at - 1)) & 511];
        if (at == level)
            return entry;
        if (!(*entry & PAGE_PRESENT))
            return 0;
        table = page_of_frame((*entry & ENTRY_FRAME) / PAGE_SIZE);
    }
}

bool is_mapped(uintptr_t address)
{
    const uint64_t *entry = entry_of(address, 1);
    return entry && *entry & PAGE_PRESENT;
}

static long entry_write(const uint64_t *entry, uint64_t value)
{
    struct mmu_update update = {
        .ptr = frame_of(entry) * PAGE_SIZE | ((uintptr_t)entry & (PAGE_SIZE - 1)) |
               MMU_NORMAL_PT_UPDATE,
        .val = value,
    };
    return HYPERVISOR_mmu_update(&update, 1, 0, DOMID_SELF);
}

long table_insert(uintptr_t address, unsigned int level, void *table)
{
    uint64_t value = frame_of(table) * PAGE_SIZE;
    long error = HYPERVISOR_update_va_mapping((unsigned long)table, value | PAGE_READABLE,
                                              UVMF_INVLPG);
    if (!error)
        error = entry_write(entry_of(address, level), value | TABLE_FLAGS(level));
    return error;
}

long map(uintptr_t address, uint64_t frame, uint64_t flags)
{
    for (unsigned int level = LEVELS; level > 1; level--) {
        if (*entry_of(address, level) & PAGE_PRESENT)
            continue;
        void *table = pages_alloc(1);
        if (!table)
            return -XEN_ENOMEM;
        long error = table_insert(address, level, table);
        if (error)
            return error;
    }
    return entry_write(entry_of(address, 1), frame * PAGE_SIZE | flags);
}

long unmap(uintptr_t address)
{
    return HYPERVISOR_update_va_mapping(address, 0, UVMF_INVLPG);
}
