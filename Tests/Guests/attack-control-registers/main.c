/*
 * test: attack-control-registers
 * Writes control registers with every single bit, all and none: paging off, protection off, no
 * write protection, SMEP and SMAP off. What is taken is virtual; the processor's registers stay the
 * hypervisor's.
 */
#include "guest.h"

static unsigned long cr0(void)
{
    unsigned long value = 0;
    TRY("mov %%cr0, %0", : "+r"(value));
    return value;
}

void test_main(void)
{
    uint64_t *page = page_alloc();
    page_read_only(page);
    unsigned long before = cr0();
    for (unsigned int bit = 0; bit < 8 * sizeof(long); bit++) {
        TRY("mov %0, %%cr0", : : "r"(before ^ 1ul << bit));
        TRY("mov %0, %%cr4", : : "r"(1ul << bit));
#ifdef __x86_64__
        TRY("mov %0, %%cr8", : : "r"(1ul << bit));
#endif
        TRY("mov %0, %%cr2", : : "r"(HYPERVISOR_ADDRESS + bit));
    }
    TRY("mov %0, %%cr0", : : "r"(0ul));
    TRY("mov %0, %%cr0", : : "r"(~0ul));
    TRY("mov %0, %%cr4", : : "r"(0ul));
    TRY("mov %0, %%cr4", : : "r"(~0ul));
    TRY("lmsw %w0", : : "r"(0));
    TRY("mov %0, %%cr0", : : "r"(before));
    expect_fault("write protection holds", try_write(page, 1),
                 FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE));
    faulted("the hypervisor's memory", try_read((void *)HYPERVISOR_IMAGE, 0));
    expect_true("PG and PE are seen as set", (cr0() & 0x80000001) == 0x80000001);
}
