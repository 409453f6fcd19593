/*
 * test: attack-cr3
 * The guest loads CR3 by mov, as a native kernel does: tables of the hypervisor, tables of other
 * levels, writable memory, frames of nobody. A careless hypervisor puts them into the processor's.
 */
#include "guest.h"

void test_main(void)
{
    pte_t *top = top_table();
    uint64_t *page = page_alloc();
    uint64_t values[] = {pte_frame(top[256]) << 12,
                         machine_address(page),
                         0xfffffffff000,
                         0x100000,
                         ~0ul,
                         1ull << 63,
                         0x1000,
                         pte_frame(*entry_of(top, (uint64_t)page, 4)) << 12,
                         pte_frame(*entry_of(top, (uint64_t)page, 3)) << 12,
                         pte_frame(*entry_of(top, (uint64_t)page, 2)) << 12};
    for (unsigned int i = 0; i < 10; i++)
        expect_vector("a table that is none",
                      TRY("mov %0, %%cr3",
                          :
                          : "r"(values[i])
                          : "memory"),
                      VECTOR_GP);
    uint64_t now = 0;
    expect_fault("the value read", TRY("mov %%cr3, %0", : "+r"(now)), NO_FAULT);
    expect_value("is the table in use", now - machine_address(top), 0);
    expect_fault("loaded again", TRY("mov %0, %%cr3", : : "r"(now) : "memory"), NO_FAULT);
}
