/*
 * test: attack-trap-selector
 * Handlers registered with code selectors of ring 0, of the hypervisor and of nothing. A careless
 * hypervisor loads them in its own iret, which faults in ring 0, again for that fault's handler.
 * The handler runs in ring 3 or the guest dies of it.
 */
#include "guest.h"

static uint16_t seen;

static bool hook(struct trap_frame *frame)
{
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
        print("selector 0x%x ", selectors[i]);
        if (HYPERVISOR_set_trap_table(table))
            panic("refused");
        __asm__ volatile("ud2" : : : "rcx", "r11", "memory");
        expect_value("enters with", seen, FLAT_KERNEL_CS);
    }
}
