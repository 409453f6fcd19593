/*
 * test: attack-trap-table
 * Trap tables with handlers in the hypervisor, at addresses that are not canonical and without an
 * end. A handler in the hypervisor may be registered, but entering it is a page fault of the guest,
 * not a jump in ring 0.
 */
#include "guest.h"

static long set(unsigned int vector, uint16_t cs, uint64_t address)
{
    struct trap_info table[2] = {{.vector = (uint8_t)vector, .cs = cs, .address = address}};
    return HYPERVISOR_set_trap_table(table);
}

static unsigned int fetches;

/* The handler's fetch faults with the frame of the exception still on the stack. */
static bool hook(struct trap_frame *frame)
{
    if (frame->vector != VECTOR_PF || frame->rip < hypervisor_start() ||
        frame->rip - 1 >= HYPERVISOR_VIRT_END - 1)
        return false;
    fetches++;
    if ((frame->cs & 3) != (FRAME_KERNEL_CS & 3) && (frame->cs & 3) != 3)
        failure("an odd ring: 0x%lx", (uint64_t)frame->cs);
    unsigned long *inner = (unsigned long *)frame->rsp;
#ifdef __x86_64__
    /* rcx, r11, rip: on top of the interrupted stack. */
    frame->rip = inner[2] + 2;
    frame->rsp = inner[5];
#else
    frame->rip = inner[0] + 2;
    frame->rsp += 12;
#endif
    return true;
}

void test_main(void)
{
    const uint64_t places[] = {HYPERVISOR_ADDRESS, hypervisor_start(), HYPERVISOR_IMAGE,
                               HYPERVISOR_VIRT_END - 1};
    set_trap_hook(hook);
    unsigned int registered = 0;
    for (unsigned int i = 0; i < 4; i++) {
        if (set(VECTOR_UD, FLAT_KERNEL_CS, places[i]))
            continue;
        registered++;
        __asm__ volatile("ud2" : : : "rcx", "r11", "memory");
    }
    expect_value("handlers in the hypervisor entered", registered, fetches);
    set_trap_hook(0);
#ifdef __x86_64__
    refused("a handler that is not canonical",
            set(VECTOR_UD, FLAT_KERNEL_CS, NON_CANONICAL_ADDRESS));
#endif
    /* No end: the table runs into an unmapped page, the rows before it may be taken. */
    static struct trap_info rows[2 * PAGE_SIZE / sizeof(struct trap_info)] __attribute__((aligned(PAGE_SIZE)));
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        rows[i] = (struct trap_info){
            .vector = VECTOR_BR, .cs = FLAT_KERNEL_CS, .address = trap_entries[VECTOR_BR]};
    HYPERVISOR_update_va_mapping((unsigned long)rows + PAGE_SIZE, 0, UVMF_INVLPG);
    refused("a table without an end", HYPERVISOR_set_trap_table(rows));
    expect_result("the handler of ud2 again",
                  set(VECTOR_UD, FLAT_KERNEL_CS, trap_entries[VECTOR_UD]), 0);
    expect_fault("ud2", TRY("ud2", :), FAULT(VECTOR_UD, 0));
}
