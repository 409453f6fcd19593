/*
 * test: attack-va-mapping
 * update_va_mapping at addresses of the hypervisor, not canonical ones and ones without tables, and
 * with flags that name a processor map at a bad address. A careless hypervisor walks its own tables
 * through the linear map and writes an entry of its own.
 */
#include "guest.h"

void test_main(void)
{
    pte_t good = pte_make(mfn_of(page_alloc()), PTE_READ_WRITE);
    refusals_begin();
#ifdef __x86_64__
    for (uint64_t address = HYPERVISOR_VIRT_START; address < HYPERVISOR_VIRT_END;
         address += 0x3ffff7fff000) {
        refusal(HYPERVISOR_update_va_mapping(address, good, UVMF_INVLPG), address);
        refusal(HYPERVISOR_update_va_mapping(address, 0, UVMF_INVLPG), address);
    }
    for (unsigned int slot = 256; slot < 272; slot++) {
        uint64_t address = 0xffff000000000000ul | (uint64_t)slot << 39;
        refusal(HYPERVISOR_update_va_mapping(address, good, UVMF_NONE), address);
        refusal(HYPERVISOR_update_va_mapping(address + 0x7fffe00000, 0, UVMF_TLB_FLUSH), address);
        refusal(HYPERVISOR_update_va_mapping_otherdomain(address, good, UVMF_NONE, DOMID_SELF),
                address);
    }
#else
    for (uint32_t address = hypervisor_start(); address; address += 0x100000) {
        refusal(HYPERVISOR_update_va_mapping(address, good, UVMF_NONE), address);
        refusal(HYPERVISOR_update_va_mapping(address + 0xff000, 0, UVMF_TLB_FLUSH), address);
        refusal(HYPERVISOR_update_va_mapping_otherdomain(address, good, UVMF_NONE, DOMID_SELF),
                address);
    }
#endif
    refusal(HYPERVISOR_update_va_mapping(HYPERVISOR_IMAGE, good, UVMF_INVLPG), 1);
    refusal(HYPERVISOR_update_va_mapping(HYPERVISOR_IMAGE, 0, UVMF_INVLPG), 2);
    refusal(HYPERVISOR_update_va_mapping(UNMAPPED_ADDRESS, good, UVMF_INVLPG), 3);
    refusals_end("addresses of the hypervisor");

    uint64_t *page = page_alloc();
    good = pte_make(mfn_of(page), PTE_READ_WRITE);
    uintptr_t bad[] = {UNMAPPED_ADDRESS, HYPERVISOR_ADDRESS, NON_CANONICAL_ADDRESS,
                       hypervisor_start(), -8ul};
    for (unsigned int i = 0; i < 5; i++) {
        /* The entry may be written before the map of processors is read. */
        HYPERVISOR_update_va_mapping((uint64_t)page, good,
                                     (bad[i] & ~7ul) | UVMF_INVLPG | UVMF_MULTI);
        HYPERVISOR_update_va_mapping((uint64_t)page, good,
                                     (bad[i] & ~7ul) | UVMF_TLB_FLUSH | UVMF_MULTI);
    }
    for (unsigned long flags = 0; flags < 16; flags++)
        HYPERVISOR_update_va_mapping((uint64_t)page, good, flags);
    *(volatile uint64_t *)page = 5;
    expect_value("the page after all flags", *page, 5);
    refused("a table, writable",
            HYPERVISOR_update_va_mapping(
                (uint64_t)page, pte_make(mfn_of(top_table()), PTE_READ_WRITE), UVMF_INVLPG));
    refused("for a domain that does not exist",
            HYPERVISOR_update_va_mapping_otherdomain((uint64_t)page, good, UVMF_NONE, 77));
}
