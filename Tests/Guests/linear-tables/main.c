/*
 * test: linear-tables
 * A top table may map itself read-only in one of its slots; all page tables then appear in a
 * window of 512 GB. A writable slot of the kind would let the guest write its own tables.
 */
#include "guest.h"

#define SLOT 300ul

void test_main(void)
{
    pte_t *top = top_table();
    expect_result("writable self-reference",
                  entry_write(&top[SLOT], pte_make(mfn_of(top), PTE_TABLE)), -XEN_EINVAL);
    long result = entry_write(&top[SLOT], pte_make(mfn_of(top), PTE_PRESENT | PTE_USER | PTE_ACCESSED));
    if (result == -XEN_EINVAL) {
        skip("this hypervisor is built without linear page tables");
        return;
    }
    expect_result("read-only self-reference", result, 0);
    uint64_t window = 0xffff000000000000ul | SLOT << 39;
    volatile pte_t *seen = (pte_t *)(window | SLOT << 30 | SLOT << 21 | SLOT << 12);
    expect_true("the window shows the top table", seen[SLOT] == top[SLOT]);
    uint64_t address = (uint64_t)&address;
    volatile pte_t *leaf = (pte_t *)(window | (address >> 9 & 0x7ffffffff8));
    expect_true("the window shows a last-level entry", pte_frame(*leaf) == mfn_of(&address));
    expect_fault("write through the window", try_write((void *)seen, 0),
                 FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE));
    expect_result("take it away", entry_write(&top[SLOT], 0), 0);
}
