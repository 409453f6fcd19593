/*
 * test: attack-32-limits
 * Segments whose limits reach into the hypervisor's part of the address space, over its borders and to
 * the last byte. Those that grow up are cut at the end of the M2P table, and whatever a processor makes of
 * the limit, no store arrives. One that forgets limits has page tables left to stop it.
 */
#include "guest.h"
#include "segments.h"

USER_CODE(user_store, "movw %cx, %fs; movl %eax, %fs:(%edi); " SYSTEM_CALL "; ud2");

static void stores(uint16_t selector, uint32_t base)
{
    uint32_t places[TOP_PLACES];
    top_places(places);
    refusals_begin();
    for (unsigned int i = 0; i < TOP_PLACES; i++) {
        refusal(store_through(selector, base, places[i]) == NO_FAULT ? 0 : -1, places[i]);
        struct trap_frame frame = user_frame(user_store);
        frame.rcx = selector | 3;
        frame.rdi = places[i] - base;
        user_run(&frame);
        refusal(frame.vector == ENTRY_SYSCALL ? 0 : -1, places[i]);
    }
    refusals_end("stores");
}

void test_main(void)
{
    const uint32_t start = hypervisor_start(), end = machine_to_physical_end();
    const struct {
        const char *what;
        uint32_t base, limit;
        unsigned int flags;
    } rows[] = {
        {"all of 4 GB", 0, 0xfffff, SEGMENT_FLAT},
        {"the upper half", 0x80000000, 0x7ffff, SEGMENT_FLAT},
        {"up to the last page", 0, 0xffffe, SEGMENT_FLAT},
        {"a page below the border", start - PAGE_SIZE, 0x3fff, SEGMENT_FLAT},
        {"pages, from below the border", start - 16, 0x3fff, SEGMENT_FLAT},
        {"pages, from below the table's end", end - 16, 0x3dff, SEGMENT_FLAT},
        {"bytes, from below the border", start - 16, 0xfffff, SEGMENT_WIDE},
        {"bytes, over the table's end", end - 16, 0xffff, SEGMENT_WIDE},
        {"the hypervisor's part", start, 0x3fff, SEGMENT_FLAT},
        {"all behind the table", end, (0xffffffff - end) >> 12, SEGMENT_FLAT},
        {"the last page", 0xfffff000, 0, SEGMENT_FLAT},
        {"the last byte", 0xffffffff, 0, SEGMENT_WIDE},
    };
    uint64_t *table = own_gdt();
    if (map(start - PAGE_SIZE, pte_make(mfn_of(page_alloc()), PTE_READ_WRITE | PTE_USER)))
        panic("the page below the border cannot be mapped");
    uint32_t before = top_sum();
    print("the kernel's flat segment, ");
    stores(FLAT_KERNEL_DS, 0);
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t descriptor = segment(rows[i].base, rows[i].limit, ACCESS_DATA | ACCESS_RING(3), rows[i].flags);
        uint32_t limit = 0;
        if (descriptor_put(&table[8], descriptor))
            panic("refused");
        __asm__ volatile("lsl %1, %0" : "+r"(limit) : "r"(8 << 3 | 3) : "cc");
        print("%s: ends at 0x%lx, ", rows[i].what, (uint64_t)(rows[i].base + limit));
        stores(8 << 3 | 1, rows[i].base);
        if (table[8] != descriptor_stored(descriptor))
            failure("stored as 0x%lx", table[8]);
    }
    expect_true("the M2P table is as before", top_sum() == before);
}
