/*
 * test: attack-32-wrap
 * Bases and offsets whose sum passes 4 GB. As with segments of thread-local storage it wraps round to what
 * lies below, which is the guest's, or comes out in the hypervisor's part, where no store may arrive: by
 * moves, by string instructions and by a stack.
 */
#include "guest.h"
#include "segments.h"

USER_CODE(user_strings, "movw %cx, %es; stosl; movw %dx, %es; " SYSTEM_CALL "; ud2");
USER_CODE(user_push, "pushl %eax; " SYSTEM_CALL "; ud2");

static unsigned int user_stopped(const void *code, uint16_t selector, uint32_t offset)
{
    struct trap_frame frame = user_frame(code);
    frame.rcx = selector;
    frame.rdx = FLAT_USER_DS;
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
    static const uint32_t bases[] = {0x1000,     0x7fffffff, 0xbffff000, 0xfbffff00, 0xfc000004,
                                     0xfd000000, 0xfffff000, 0xfffffffc, 0xffffffff};
    uint64_t *table = own_gdt();
    volatile uint32_t *page = page_alloc();
    uint32_t before = top_sum(), places[TOP_PLACES];
    top_places(places);
    refusals_begin();
    for (unsigned int i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
        if (descriptor_put(&table[9], segment(bases[i], 0xfffff, ACCESS_DATA | ACCESS_RING(3), SEGMENT_FLAT)))
            panic("refused");
        for (unsigned int j = 1; j < TOP_PLACES; j++) {
            refusal(store_through(9 << 3 | 1, bases[i], places[j]) == NO_FAULT ? 0 : -1, places[j]);
            refusal(user_stopped(user_strings, 9 << 3 | 3, places[j] - bases[i]) ? -1 : 0, places[j]);
            refusal(user_stopped(user_push, 9 << 3 | 3, places[j] - bases[i]) ? -1 : 0, places[j]);
        }
    }
    refusals_end("stores that come out at the top");
    expect_true("the M2P table is as before", top_sum() == before);

    /* Below a base that is the end of an own page, as compilers address thread-local storage. */
    uint32_t base = (uint32_t)page + PAGE_SIZE;
    descriptor_put(&table[9], segment(base, 0xfffff, ACCESS_DATA | ACCESS_RING(1), SEGMENT_FLAT));
    expect_value("its descriptor is not cut", table[9] & 0xf00000000ffff, 0xf00000000ffff);
    expect_fault("a store 16 bytes below a base", store_through(9 << 3 | 1, base, base - 16), NO_FAULT);
    expect_value("arrives", page[(PAGE_SIZE - 16) / 4], 0xdeadbeef);
    /* From a base in the hypervisor's part round to an own page, too. */
    descriptor_put(&table[9], segment(0xfffff000, 0xfffff, ACCESS_DATA | ACCESS_RING(1), SEGMENT_FLAT));
    expect_fault("a store round the end", store_through(9 << 3 | 1, 0xfffff000, (uint32_t)page), NO_FAULT);
    expect_value("arrives", page[0], 0xdeadbeef);
}
