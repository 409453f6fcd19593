/*
 * test: attack-32-top
 * The last 64 MB: the kernel reads the M2P table there and does nothing else. It is not written, not
 * executed, not seen by user mode, and nothing can be mapped there, by any call, nor behind the table, on the
 * last page or in a fourth gigabyte of another table.
 */
#include "guest.h"
#include "segments.h"

USER_CODE(user_read, "movb (%edi), %al; " SYSTEM_CALL "; ud2");
USER_CODE(user_jump, "jmp *%edi");

static bool ends(struct trap_frame *frame)
{
    frame->rip = *(unsigned long *)frame->rsp;
    frame->rsp += 4;
    return frame->vector == VECTOR_PF || frame->vector == VECTOR_GP;
}

static unsigned int executes(uint32_t address)
{
    uint64_t before = entries_seen(VECTOR_PF) + entries_seen(VECTOR_GP);
    set_trap_hook(ends);
    __asm__ volatile("call *%0" : : "r"(address) : "memory", "eax", "ecx", "edx");
    set_trap_hook(0);
    return entries_seen(VECTOR_PF) + entries_seen(VECTOR_GP) == before;
}

static unsigned int of_user(const void *code, uint32_t address)
{
    struct trap_frame frame = user_frame(code);
    frame.rdi = address;
    user_run(&frame);
    return frame.vector != VECTOR_PF && frame.vector != VECTOR_GP;
}

void test_main(void)
{
    const uint32_t start = hypervisor_start(), end = machine_to_physical_end();
    uint32_t before = top_sum();
    expect_value("the M2P table begins with the hypervisor's part", (uint32_t)machine_to_physical() - start, 0);
    expect_fault("the kernel reads its first entry", try_read((void *)start, 0), NO_FAULT);
    expect_fault("and its last", try_read((void *)(end - 8), 0), NO_FAULT);
    unsigned int reads = 0, writes = 0, users = 0, fetches = 0;
    /* A place in each half of a megabyte, by bytes: the first and the last of a page. */
    for (uint32_t page = start; page >= start; page += 0x80000) {
        uint32_t place = page + 0x7ffff;
        for (unsigned int i = 0; i < 2; i++, place = page) {
            if (place >= end)
                reads += TRY("movb (%0), %%al", : : "r"(place) : "eax") == NO_FAULT;
            writes += TRY("movb $1, (%0)", : : "r"(place) : "memory") == NO_FAULT;
            users += of_user(user_read, place) + of_user(user_jump, place);
            fetches += executes(place);
        }
    }
    expect_value("reads behind the table", reads, 0);
    expect_value("writes", writes, 0);
    expect_value("reads and jumps of user mode", users, 0);
    expect_value("calls of the kernel", fetches, 0);

    mfn_t own = mfn_of(page_alloc());
    unsigned int count;
    pte_t *slots = hypervisor_slots(top_table(), &count);
    pte_t *lower = page_alloc();
    page_read_only(lower);
    refusals_begin();
    for (uint32_t page = start; page >= start; page += 0x200000) {
        refusal(HYPERVISOR_update_va_mapping(page, pte_make(own, PTE_READ_WRITE), UVMF_INVLPG), page);
        refusal(HYPERVISOR_update_va_mapping(page + 0x1ff000, pte_make(own, PTE_READ_ONLY), UVMF_INVLPG), page);
        refusal(HYPERVISOR_update_va_mapping(page, 0, UVMF_INVLPG), page);
    }
    for (unsigned int slot = 0; slot < count; slot++) {
        refusal(entry_write(&slots[slot], pte_make(mfn_of(lower), PTE_TABLE)), slot);
        refusal(entry_write(&slots[slot], slots[slot] | PTE_WRITE | PTE_USER), slot);
        refusal(entry_write(&slots[slot], 0), slot);
    }
    refusals_end("mappings in the top");
    refusals_begin();
    pte_t *top = top_table();
    pte_t last = top[TOP_LAST];
    refusal(entry_write(&top[TOP_LAST], 0), 1);
    refusal(entry_write(&top[TOP_LAST], pte_make(mfn_of(lower), table_flags(3))), 2);
    refusal(entry_write(&top[TOP_FREE], last), 3);
    for (unsigned int slot = 4; slot < 512; slot++)
        refusal(entry_write(&top[slot], pte_make(mfn_of(lower), table_flags(3))), slot);
    refusals_end("the table that leads there, and entries behind the four");
    expect_true("the top table is as before", ((top[TOP_LAST] ^ last) & PTE_FRAME) == 0 && top[4] == 0);

    /* A page of five entries to become a top table: the fifth would be the first 4 GB's end. */
    pte_t *other = top_make();
    other[4] = other[511] = pte_make(mfn_of(lower), table_flags(3));
    page_read_only(other);
    if (mmuext_frame(PIN_TOP_TABLE, mfn_of(other)) == 0) {
        print("a top table of more than four entries: ");
        expect_value("those behind are", other[4] | other[511], 0);
        expect_result("unpin", mmuext_frame(MMUEXT_UNPIN_TABLE, mfn_of(other)), 0);
    }
    /* The fourth table twice, or none: the hypervisor's part would be missing or somewhere else. */
    pte_t *bare = page_alloc();
    page_read_only(bare);
    refused("a top table without its last entry", mmuext_frame(PIN_TOP_TABLE, mfn_of(bare)));
    pte_t *twice = page_alloc();
    twice[TOP_LAST] = twice[0] = last;
    page_read_only(twice);
    refused("the running fourth table in two places", mmuext_frame(PIN_TOP_TABLE, mfn_of(twice)));
    expect_true("the M2P table is as before", top_sum() == before);
}
