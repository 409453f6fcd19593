/*
 * test: attack-trap-selector
 * Handlers registered with code selectors of ring 0, of the hypervisor and of nothing. A careless
 * hypervisor loads them in its own iret, which faults in ring 0, again for that fault's handler.
 * The handler runs in ring 3, on 32 bits in the ring of a selector that is right; one that is not is a
 * #GP of the guest where its handler begins.
 */
#include "guest.h"

USER_CODE(user_ud2, "ud2");

static uint16_t seen;
static fault_t fault;

static bool hook(struct trap_frame *frame)
{
    if (PAGING_LEVELS == 3 && frame->vector == VECTOR_GP) {
        /* The frame of ud2 lies on the stack still, as for the handler that was not entered. */
        unsigned long *inner = (unsigned long *)frame->rsp;
        fault = FAULT(frame->vector, frame->error_code);
        frame->rip = inner[0] + 2;
        frame->cs = FLAT_KERNEL_CS | (frame->cs & 0xff0000);
        frame->rsp += 12;
        return true;
    }
    __asm__ volatile("movw %%cs, %0" : "=r"(seen));
    frame->rip += 2;
    return frame->vector == VECTOR_UD;
}

void test_main(void)
{
    static const uint16_t selectors[] = {FLAT_KERNEL_CS, 0xe008, 0xe00b, 0,      3,     8,
                                         0xe010,         0xe02b, 0xe040, 0xfff8, 0xffff};
    set_trap_hook(hook);
    for (unsigned int i = 0; i < 11; i++) {
        struct trap_info table[2] = {
            {.vector = VECTOR_UD, .cs = selectors[i], .address = trap_entries[VECTOR_UD]}};
        bool is_right = PAGING_LEVELS == 4 || (selectors[i] & ~3) == (FLAT_KERNEL_CS & ~3);
        print("selector 0x%x ", selectors[i]);
        if (HYPERVISOR_set_trap_table(table))
            panic("refused");
        fault = NO_FAULT;
        /* A handler of ring 3 looks like user mode once its first instruction has faulted. */
        if (!is_right && (selectors[i] & 3) == 3)
            fault = user_try(user_ud2);
        else
            __asm__ volatile("ud2" : : : "rcx", "r11", "memory");
        if (is_right)
            expect_value("enters with", seen, FLAT_KERNEL_CS);
        else /* Code of ring 3 is right, but the kernel's stack does not fit it. */
            expect_fault("faults", fault,
                         FAULT(VECTOR_GP, (selectors[i] == 0xe02b ? FLAT_KERNEL_SS : selectors[i]) & ~3));
    }
}
