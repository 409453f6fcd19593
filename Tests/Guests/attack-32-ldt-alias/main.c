/*
 * test: attack-32-ldt-alias
 * An LDT's page is mapped a second time and written while it is loaded, by page tables, grants, hypercalls
 * that write, and by giving it away; and a page that is writable elsewhere is made an LDT. A descriptor
 * that nobody has checked would be one of ring 0.
 */
#include "guest.h"
#include "segments.h"

#define FS(selector) TRY("movw %w0, %%fs", : : "r"(selector) : "memory")
#define SELECTOR(index) ((index) << 3 | 5)

static uint64_t *local;

static long set_ldt(const void *table, uint32_t entries)
{
    struct mmuext_op op = {.cmd = MMUEXT_SET_LDT,
                           .arg1.linear_addr = (unsigned long)table,
                           .arg2.nr_ents = entries};
    return HYPERVISOR_mmuext_op(&op, 1, 0, DOMID_SELF);
}

static void aliases(const char *what)
{
    mfn_t mfn = mfn_of(local);
    pte_t *leaf = entry_of(top_table(), FREE_ADDRESS, 1);
    grant_handle_t handle = NO_HANDLE;
    refusals_begin();
    refusal(page_set_flags(local, PTE_READ_WRITE), 1);
    refusal(entry_write(leaf, pte_make(mfn, PTE_READ_WRITE)), 2);
    refusal(HYPERVISOR_update_va_mapping(FREE_ADDRESS, pte_make(mfn, PTE_READ_WRITE), UVMF_INVLPG), 3);
    refusal(mmu_update_one(machine_address(&local[1]), ~0ull), 4);
    refusal(mmuext_frame(MMUEXT_CLEAR_PAGE, mfn), 5);
    refusal(mmuext_frame(MMUEXT_PIN_L1_TABLE, mfn), 6);
    struct mmuext_op copy = {.cmd = MMUEXT_COPY_PAGE, .arg1.mfn = mfn, .arg2.src_mfn = mfn_of(page_alloc())};
    refusal(HYPERVISOR_mmuext_op(&copy, 1, 0, DOMID_SELF), 7);
    grant_access(8, own_domain(), mfn, GTF_permit_access);
    refusal(grant_map(own_domain(), 8, GNTMAP_host_map, FREE_ADDRESS, &handle) == GNTST_okay ? 0 : -1, 8);
    refusal(grant_copy((struct gnttab_copy){.source = copy_frame(mfn_of(page_alloc()), 0),
                                            .dest = copy_frame(mfn, 8),
                                            .len = 8}) == GNTST_okay ? 0 : -1, 9);
    grant_access(8, 0, 0, 0);
    refusal(try_write(&local[1], ~0ull) == NO_FAULT ? 0 : -1, 10);
    print("%s: ", what);
    refusals_end("writable aliases");
}

void test_main(void)
{
    const uint64_t data = segment(0x1000, 0xfff, ACCESS_DATA | ACCESS_RING(3), SEGMENT_WIDE);
    const uint64_t high = segment(0, 0xfffff, ACCESS_DATA, SEGMENT_FLAT);
    grants_initialise(1);
    uint64_t *other = page_alloc();
    local = page_alloc();
    local[1] = data;
    if (map(FREE_ADDRESS, pte_make(mfn_of(local), PTE_READ_WRITE)))
        panic("cannot map");
    page_read_only(local);
    volatile uint64_t *alias = (volatile uint64_t *)FREE_ADDRESS;
    expect_result("an LDT that is writable elsewhere", set_ldt(local, 512), 0);
    expect_fault("a load from it", FS(SELECTOR(1)), FAULT(VECTOR_PF, 0));
    expect_result("the alias goes", map(FREE_ADDRESS, 0), 0);
    mmuext_address(MMUEXT_TLB_FLUSH_LOCAL, 0);
    expect_fault("a load from it", FS(SELECTOR(1)), NO_FAULT);
    aliases("loaded");
    /* Out of the address space it is the LDT still, and must not be written. */
    expect_result("a read-only alias", map(FREE_ADDRESS, pte_make(mfn_of(local), PTE_READ_ONLY)), 0);
    faulted("a store there", try_write((void *)FREE_ADDRESS, high));
    expect_result("it goes", map(FREE_ADDRESS, 0), 0);
    expect_result("its mapping goes", HYPERVISOR_update_va_mapping((unsigned long)local, 0, UVMF_INVLPG), 0);
    refused("writable at its place", page_set_flags(local, PTE_READ_WRITE));
    expect_result("another page at its place",
                  HYPERVISOR_update_va_mapping((unsigned long)local, pte_make(mfn_of(other), PTE_READ_WRITE),
                                               UVMF_INVLPG), 0);
    local[1] = high;
    expect_fault("a load from the LDT", FS(SELECTOR(1)), NO_FAULT);
    uint32_t limit = 0;
    __asm__ volatile("lsl %1, %0" : "+r"(limit) : "r"(SELECTOR(1)) : "cc");
    expect_value("is that of the page which was checked", limit, 0xfff);
    FS(0);
    xen_pfn_t given = mfn_of(local);
    struct xen_memory_reservation list = {.extent_start = &given, .nr_extents = 1, .domid = DOMID_SELF};
    HYPERVISOR_memory_op(XENMEM_decrease_reservation, &list);
    expect_fault("given away it is loaded", FS(SELECTOR(1)), NO_FAULT);
    FS(0);
    expect_result("another LDT", set_ldt(local, 511), 0);
    expect_fault("from the other page", FS(SELECTOR(1)), FAULT(VECTOR_PF, 0));
    page_read_only(other);
    /* What was stored unchecked is checked when the page becomes an LDT. */
    expect_result("read-only", HYPERVISOR_update_va_mapping((unsigned long)local, pte_make(mfn_of(other), PTE_READ_ONLY),
                                                            UVMF_INVLPG), 0);
    expect_fault("a load from it", FS(SELECTOR(1)), NO_FAULT);
    FS(0);
    expect_value("its ring", local[1] >> 45 & 3, 1);
    expect_true("the alias is away", try_read((void *)alias, 0) != NO_FAULT);
    expect_result("no LDT", set_ldt(0, 0), 0);
}
