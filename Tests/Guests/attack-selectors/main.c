/*
 * test: attack-selectors
 * Loads every one of the 65536 selectors into ds and es, and calls and jumps through those of the
 * hypervisor's own part of the table, with every RPL. The hypervisor's descriptors stand in the
 * same table as the guest's: only their privilege protects them.
 */
#include "guest.h"

#ifdef __x86_64__
#define WIDE "rex64 "
#define FLAT_CODE (FLAT_RING3_CS32 & ~3u)
#else
#define WIDE ""
#define FLAT_CODE (FLAT_KERNEL_CS & ~3u)
#endif

void test_main(void)
{
    unsigned int loaded = 0;
    for (uint32_t selector = 0; selector < 0x10000; selector++) {
        uint16_t seen;
        if (TRY("movl %0, %%es", : : "r"(selector)) != NO_FAULT)
            continue;
        __asm__ volatile("movw %%es, %0" : "=r"(seen));
        loaded++;
        if (seen != selector)
            failure("es became 0x%x for 0x%x", seen, selector);
    }
    expect_true("some can be loaded, most cannot", loaded > 3 && loaded < 64);
    for (uint32_t selector = FIRST_RESERVED_GDT_BYTE; selector < 0x10000; selector++) {
        struct {
            uintptr_t offset;
            uint16_t selector;
        } __attribute__((packed)) far = {HYPERVISOR_IMAGE, (uint16_t)selector};
        /* The flat code segments are the guest's: a call would arrive. */
        if ((selector & ~3u) == FLAT_CODE || (selector & ~3u) == (FLAT_USER_CS & ~3u))
            continue;
        TRY(WIDE "lcall *%0", : : "m"(far) : "memory");
        if ((selector & 7) == 0)
            TRY(WIDE "ljmp *%0", : : "m"(far) : "memory");
        TRY("ltr %w0", : : "r"(selector));
        TRY("lldt %w0", : : "r"(selector));
    }
    uint16_t cs;
    __asm__ volatile("movw %%cs, %0" : "=r"(cs));
    expect_value("ring", cs & 3, FLAT_KERNEL_CS & 3);
    uint32_t flat = FLAT_KERNEL_DS;
    __asm__ volatile("movl %0, %%es" : : "r"(flat));
}
