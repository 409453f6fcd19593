/*
 * test: attack-writable-emulation
 * Writes hostile entries directly into read-only page tables, where hypervisors decode the
 * instruction and do it: in all widths, misaligned, across the border to the next page, locked and
 * as strings. Emulated or not, what stands in the table afterwards must have been checked.
 */
#include "guest.h"

#define AREA FREE_ADDRESS

void test_main(void)
{
    uint64_t *page = page_alloc();
    if (map(AREA, pte_make(mfn_of(page), PTE_READ_WRITE)))
        panic("cannot map");
    pte_t *top = top_table(), *leaf = entry_of(top, AREA, 1);
    pte_t hostile[] = {pte_make(mfn_of(top), PTE_READ_WRITE),
                       pte_make(mfn_of(leaf), PTE_READ_WRITE),
                       pte_make(0xfffffffff, PTE_READ_WRITE), pte_make(0x100, PTE_READ_WRITE),
                       pte_make(mfn_of(page), PTE_READ_WRITE | 1ull << 46)};
    /* The upper half of a leaf's frame number cannot be told apart: everything else must be as it
     * was. */
    for (unsigned int i = 0; i < 5; i++) {
        pte_t value = hostile[i], old = leaf[1];
        uint32_t low = (uint32_t)value;
#ifdef __x86_64__
        TRY("mov %1, (%0)", : : "r"(&leaf[1]), "r"(value) : "memory");
        TRY("xchgq %1, (%0)", : : "r"(&leaf[1]), "r"(value) : "memory");
        TRY("lock cmpxchgq %2, (%0)", : : "r"(&leaf[1]), "a"(old), "r"(value) : "memory");
        TRY("lock xaddq %1, (%0)", : : "r"(&leaf[1]), "r"(value) : "memory");
        TRY("or %1, (%0)", : : "r"(&leaf[1]), "r"(value) : "memory");
        TRY("stosq", : : "D"(&leaf[1]), "a"(value) : "memory");
#else
        /* The upper half first, so that the lower one completes the entry; and both at once. */
        uint32_t high = (uint32_t)(value >> 32);
        TRY("movl %1, 4(%0)", : : "r"(&leaf[1]), "r"(high) : "memory");
        TRY("movl %1, (%0)", : : "r"(&leaf[1]), "r"(low) : "memory");
        TRY("lock cmpxchg8b (%1)", : "+A"(old) : "r"(&leaf[1]), "b"(low), "c"(high) : "memory", "cc");
        TRY("xchgl %1, (%0)", : : "r"(&leaf[1]), "r"(low) : "memory");
        TRY("lock cmpxchgl %2, (%0)", : : "r"(&leaf[1]), "a"((uint32_t)leaf[1]), "r"(low) : "memory", "cc");
        TRY("lock xaddl %1, (%0)", : : "r"(&leaf[1]), "r"(low) : "memory", "cc");
        TRY("orl %1, (%0)", : : "r"(&leaf[1]), "r"(low) : "memory", "cc");
        TRY("stosl", : : "D"(&leaf[1]), "a"(low) : "memory");
#endif
        TRY("movl %1, (%0)", : : "r"(&leaf[1]), "r"(low) : "memory");
        TRY("movw %1, (%0)", : : "r"(&leaf[1]), "r"((uint16_t)0x67) : "memory");
        TRY("movb %1, (%0)", : : "r"(&leaf[1]), "q"((uint8_t)0x67) : "memory");
        unsigned long word = (unsigned long)value;
        TRY("mov %1, (%0)", : : "r"((char *)&leaf[1] + 3), "r"(word) : "memory");
        TRY("mov %1, (%0)", : : "r"((char *)&leaf[1] + 7), "r"(~0ul) : "memory");
        TRY("mov %1, (%0)", : : "r"((char *)leaf + PAGE_SIZE - sizeof(word) / 2), "r"(word) : "memory");
        TRY("mov %1, (%0)", : : "r"((char *)leaf - sizeof(word) / 2), "r"(word) : "memory");
        TRY("btsl $1, (%0)", : : "r"(entry_of(top, (uintptr_t)top, 1)) : "memory", "cc");
    }
    /* Whatever is there: no writable mapping of a table, and no foreign frame. */
    unsigned int bad = 0;
    for (unsigned int i = 0; i < 512; i++)
        for (unsigned int j = 0; j < 5; j++)
            bad += (leaf[i] & PTE_PRESENT) && pte_frame(leaf[i]) == pte_frame(hostile[j]) &&
                   pte_frame(hostile[j]) != mfn_of(page);
    expect_value("hostile entries in the table", bad, 0);
    try_write(&top[5], pte_make(mfn_of(top), PTE_READ_WRITE));
    expect_true("a hostile top entry is not there",
                pte_frame(top[5]) != mfn_of(top) || !(top[5] & PTE_PRESENT));
    expect_true("the good entry is there", pte_frame(leaf[0]) == mfn_of(page));
}
