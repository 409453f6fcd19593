/*
 * test: linear-tables
 * A table may map itself read-only in one of its slots; what is below it then appears in a window:
 * by a top table of four levels all page tables, in 512 GB. Three levels have it a level further down, as
 * their top table cannot say read-only: by a table of level 2 the last-level tables of a gigabyte, in
 * 2 MB. A writable slot of the kind would let the guest write its own tables.
 */
#include "guest.h"

#ifdef __x86_64__
#define LEVEL 4
#define WINDOW (0xffff000000000000ul | 300ul << 39)
/* Where the window shows the table itself. */
#define ITSELF (WINDOW | 300ul << 30 | 300ul << 21 | 300ul << 12)
#define COVERED 0xffffffffffffull
#else
#define LEVEL 2
#define WINDOW 0xe0000000ul
#define ITSELF (WINDOW | 256ul << 12)
#define COVERED 0x3fffffffull
#endif

void test_main(void)
{
    pte_t *entry = entry_of(top_table(), WINDOW, LEVEL);
    unsigned int index = table_index(WINDOW, LEVEL);
    mfn_t table = mfn_of(entry);
#ifdef __i386__
    expect_result("the top table in itself", entry_write(&top_table()[TOP_FREE], pte_make(mfn_of(top_table()), PTE_PRESENT)), -XEN_EINVAL);
#endif
    expect_result("writable self-reference", entry_write(entry, pte_make(table, PTE_TABLE)), -XEN_EINVAL);
    long result = entry_write(entry, pte_make(table, PTE_PRESENT | PTE_USER | PTE_ACCESSED));
    if (result == -XEN_EINVAL) {
        skip("this hypervisor is built without linear page tables");
        return;
    }
    expect_result("read-only self-reference", result, 0);
    volatile pte_t *seen = (pte_t *)ITSELF;
    expect_true("the window shows the table itself", seen[index] == *entry);
    uintptr_t address = (uintptr_t)&address;
    volatile pte_t *leaf = (pte_t *)(WINDOW + (uintptr_t)((address & COVERED) >> XEN_PAGE_SHIFT) * sizeof(pte_t));
    expect_true("the window shows a last-level entry", pte_frame(*leaf) == mfn_of(&address));
    expect_fault("write through the window", try_write((void *)seen, 0),
                 FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE));
    expect_result("make it writable", entry_write(entry, pte_make(table, PTE_TABLE)), -XEN_EINVAL);
    expect_result("take it away", entry_write(entry, 0), 0);
}
