/*
 * test: writable-tables
 * A kernel may write a last-level table that it has mapped read-only: the hypervisor carries the
 * write out after the same checks as mmu_update. A refused write leaves the entry as it was and
 * ends in a page fault, and writes to tables of higher levels always do.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

void test_main(void)
{
    uint64_t *one = page_alloc(), *two = page_alloc();
    *one = 1;
    *two = 2;
    if (map(AREA, pte_make(mfn_of(one), PTE_READ_WRITE)))
        panic("cannot map");
    expect_result("enable the assist",
                  HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables), 0);
    volatile pte_t *entry = entry_of(top_table(), AREA, 1);
    pte_t second = pte_make(mfn_of(two), PTE_READ_WRITE);
    expect_fault("write an entry", try_write(entry, second), NO_FAULT);
    expect_true("the new frame is there", pte_frame(*entry) == mfn_of(two));
    mmuext_address(MMUEXT_INVLPG_LOCAL, AREA);
    uint64_t value = 0;
    try_read((void *)AREA, &value);
    expect_value("value", value, 2);

    pte_t old = pte_make(mfn_of(one), PTE_READ_WRITE);
#ifdef __x86_64__
    expect_fault("exchange an entry", TRY("xchgq %0, (%1)", : "+r"(old) : "r"(entry) : "memory"),
                 NO_FAULT);
#else
    /* 64 bits at once are compared, at least. */
    pte_t found = second, wanted = old;
    expect_fault("exchange an entry",
                 TRY("lock cmpxchg8b (%1)", : "+A"(found) : "r"(entry), "b"((uint32_t)wanted), "c"((uint32_t)(wanted >> 32)) : "memory", "cc"),
                 NO_FAULT);
    old = found;
#endif
    expect_true("the old frame came back", pte_frame(old) == mfn_of(two));
    pte_t expected = *entry;
    uint8_t same = 0;
#ifdef __x86_64__
    expect_fault("compare and exchange",
                 TRY("lock cmpxchgq %3, (%2); sete %1",
                     : "+a"(expected), "+r"(same) : "r"(entry), "r"(second) : "memory", "cc"),
                 NO_FAULT);
#else
    expect_fault("compare and exchange",
                 TRY("lock cmpxchg8b (%2)",
                     : "+A"(expected), "=@cce"(same) : "r"(entry), "b"((uint32_t)second), "c"((uint32_t)(second >> 32)) : "memory"),
                 NO_FAULT);
#endif
    expect_value("it was equal", same, 1);
    expect_fault("clear with a 32-bit write of the low half",
                 TRY("movl $0, (%0)", : : "r"(entry) : "memory"), NO_FAULT);
    expect_true("not present", !(*entry & PTE_PRESENT));
    expect_fault("and of the high half", TRY("movl $0, 4(%0)", : : "r"(entry) : "memory"),
                 NO_FAULT);
    expect_value("entry", *entry, 0);

    expect_fault("map the top table writable",
                 try_write(entry, pte_make(mfn_of(top_table()), PTE_READ_WRITE)),
                 FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE));
    expect_value("entry", *entry, 0);
    pte_t beyond = pte_make(FRAME_BEYOND, PTE_READ_WRITE);
#ifdef __x86_64__
    expect_fault("map a frame beyond memory", try_write(entry, beyond), FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE));
#else
    /* At once: its lower half alone is the last frame below 4 GB, which domain 0 may map. */
    pte_t none = 0;
    expect_fault("map a frame beyond memory",
                 TRY("lock cmpxchg8b (%1)",
                     : "+A"(none) : "r"(entry), "b"((uint32_t)beyond), "c"((uint32_t)(beyond >> 32)) : "memory", "cc"),
                 FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE));
#endif
    expect_value("entry", *entry, 0);
    volatile pte_t *higher = entry_of(top_table(), AREA, 2);
    pte_t table = *higher;
    expect_fault("write an L2 entry", try_write(higher, 0), FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE));
    expect_true("entry stays", (*higher & ~0x60ull) == (table & ~0x60ull));
    expect_result("disable the assist",
                  HYPERVISOR_vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables), 0);
}
