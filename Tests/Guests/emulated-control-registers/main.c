/*
 * test: emulated-control-registers
 * Control registers are read as a kernel in ring 0 would: protected mode, paging and the cr2 of
 * the last fault. Writing the value read is allowed, changing fixed bits is a fault. clts and TS
 * work. smsw and sgdt do not trap: they are the silent kind and are not tested here.
 */
#include "guest.h"

void test_main(void)
{
    unsigned long cr0 = 0, cr2 = 0, cr3 = 0, cr4 = 0;
    expect_fault("mov from cr0", TRY("mov %%cr0, %0", : "+r"(cr0)), NO_FAULT);
    expect_value("PE, PG and WP", cr0 & 0x80010001, 0x80010001);
    expect_value("TS", cr0 & 8, 0);
    expect_fault("mov to cr0, same value", TRY("mov %0, %%cr0", : : "r"(cr0)), NO_FAULT);
    expect_fault("mov to cr0, TS set", TRY("mov %0, %%cr0", : : "r"(cr0 | 8)), NO_FAULT);
    expect_fault("mov from cr0", TRY("mov %%cr0, %0", : "+r"(cr0)), NO_FAULT);
    expect_value("TS", cr0 & 8, 8);
    expect_fault("clts", TRY("clts", : : : "memory"), NO_FAULT);
    expect_fault("mov from cr0", TRY("mov %%cr0, %0", : "+r"(cr0)), NO_FAULT);
    expect_value("TS", cr0 & 8, 0);
    expect_fault("mov to cr0 without WP", TRY("mov %0, %%cr0", : : "r"(cr0 & ~0x10000ul)),
                 FAULT(VECTOR_GP, 0));
    expect_fault("mov to cr0 without PG", TRY("mov %0, %%cr0", : : "r"(cr0 & 0x7fffffff)),
                 FAULT(VECTOR_GP, 0));

    try_read((void *)(UNMAPPED_ADDRESS + 0x123), 0);
    expect_fault("mov from cr2", TRY("mov %%cr2, %0", : "+r"(cr2)), NO_FAULT);
    expect_value("cr2", cr2, UNMAPPED_ADDRESS + 0x123);
    expect_fault("mov to cr2", TRY("mov %0, %%cr2", : : "r"(0x5678ul)), NO_FAULT);
    expect_fault("mov from cr2", TRY("mov %%cr2, %0", : "+r"(cr2)), NO_FAULT);
    expect_value("cr2", cr2, 0x5678);
    expect_fault("mov from cr3", TRY("mov %%cr3, %0", : "+r"(cr3)), NO_FAULT);
    expect_true("cr3 is the top table", CR3_FRAME(cr3) == mfn_of(top_table()));
    expect_fault("mov to cr3, same value", TRY("mov %0, %%cr3", : : "r"(cr3)), NO_FAULT);
    expect_fault("mov to cr3, an ordinary page",
                 TRY("mov %0, %%cr3", : : "r"(CR3_OF(mfn_of(page_alloc())))), FAULT(VECTOR_GP, 0));

    expect_fault("mov from cr4", TRY("mov %%cr4, %0", : "+r"(cr4)), NO_FAULT);
    expect_true("PAE", cr4 >> 5 & 1);
    expect_true("OSFXSR", cr4 >> 9 & 1);
    expect_true("no VMXE", !(cr4 >> 13 & 1));
    expect_fault("mov to cr4, same value", TRY("mov %0, %%cr4", : : "r"(cr4)), NO_FAULT);
    expect_fault("mov to cr4, TSD set", TRY("mov %0, %%cr4", : : "r"(cr4 | 4)), NO_FAULT);
    expect_fault("mov from cr4", TRY("mov %%cr4, %0", : "+r"(cr4)), NO_FAULT);
    expect_true("TSD", cr4 >> 2 & 1);
    expect_fault("mov to cr4, TSD clear", TRY("mov %0, %%cr4", : : "r"(cr4 & ~4ul)), NO_FAULT);
#ifdef __x86_64__
    uint64_t cr8 = 0;
    expect_fault("mov from cr8", TRY("mov %%cr8, %0", : "+r"(cr8)), FAULT(VECTOR_GP, 0));
#endif
    expect_fault("mov from cr1", TRY(".byte 0x0f, 0x20, 0xc8", : : : "rax"), FAULT(VECTOR_GP, 0));
}
