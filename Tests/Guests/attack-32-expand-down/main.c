/*
 * test: attack-32-expand-down
 * Segments that grow down reach from behind their limit up to 4 GB, over the hypervisor's part, and are
 * not cut, because a limit cannot do it. Stores through them, by the kernel, user mode and as a stack, end
 * at the page tables.
 */
#include "guest.h"
#include "segments.h"

USER_CODE(user_store, "movw %cx, %fs; movl %eax, %fs:(%edi); " SYSTEM_CALL "; ud2");
USER_CODE(user_push, "pushl %eax; " SYSTEM_CALL "; ud2");

static unsigned int user_stopped(const void *code, uint16_t selector, uint32_t offset)
{
    struct trap_frame frame = user_frame(code);
    frame.rcx = selector;
    frame.rdi = offset;
    if (code == user_push) {
        frame.ss = selector;
        frame.rsp = offset + 4;
    }
    user_run(&frame);
    return frame.vector != ENTRY_SYSCALL;
}

void test_main(void)
{
    const uint32_t start = hypervisor_start(), end = machine_to_physical_end();
    const struct {
        uint32_t base, limit;
        unsigned int flags;
    } rows[] = {
        {0, 0, SEGMENT_FLAT},           {0, 0, SEGMENT_WIDE},
        {0, 0xfffff, SEGMENT_FLAT},     {0, (start >> 12) - 1, SEGMENT_FLAT},
        {0, end >> 12, SEGMENT_FLAT},   {start, 0, SEGMENT_FLAT},
        {start - 0x1000, 0, SEGMENT_WIDE}, {0xfffff000, 0, SEGMENT_FLAT},
        {0x10000000, 0x8ffff, SEGMENT_FLAT}, {start, 0xfffff, SEGMENT_PAGES},
    };
    uint64_t *table = own_gdt();
    uint32_t before = top_sum(), places[TOP_PLACES];
    top_places(places);
    unsigned int changed = 0;
    refusals_begin();
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint64_t descriptor =
            segment(rows[i].base, rows[i].limit, ACCESS_EXPAND_DOWN | ACCESS_RING(3), rows[i].flags);
        if (descriptor_put(&table[10], descriptor))
            panic("refused");
        changed += table[10] != descriptor;
        for (unsigned int j = 1; j < TOP_PLACES; j++) {
            uint32_t offset = places[j] - rows[i].base;
            refusal(store_through(10 << 3 | 1, rows[i].base, places[j]) == NO_FAULT ? 0 : -1, places[j]);
            refusal(user_stopped(user_store, 10 << 3 | 3, offset) ? -1 : 0, places[j]);
            refusal(user_stopped(user_push, 10 << 3 | 3, offset) ? -1 : 0, places[j]);
        }
    }
    refusals_end("stores over the top");
    expect_value("descriptors that were changed", changed, 0);
    expect_true("the M2P table is as before", top_sum() == before);
}
