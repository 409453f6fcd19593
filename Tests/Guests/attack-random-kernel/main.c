/*
 * test: attack-random-kernel
 * Random instructions in kernel mode, where a hypervisor decodes and emulates them: control and
 * debug registers, machine registers, in and out, strings, with random operands. Each has to come
 * back as done or as a fault. CR3 is left out, whose load with junk ends a guest.
 */
#include "guest.h"



static unsigned long resume, kept;
static unsigned int faults;

static bool hook(struct trap_frame *frame)
{
    faults++;
    frame->rip = resume;
    frame->rsp = kept;
    frame->rflags &= ~0x100ul;
    return true;
}

void test_main(void)
{
    uint8_t *code = page_alloc();
    if (map(ISLAND, pte_make(mfn_of(code), PTE_READ_ONLY)))
        panic("cannot map");
    set_trap_hook(hook);
    static const uint8_t seconds[] = {0x00, 0x01, 0x06, 0x08, 0x09, 0x0d, 0x20, 0x21,
                                      0x22, 0x23, 0x32, 0x33, 0xa2, 0xae, 0xc7};
    unsigned int runs = 0;
    for (; runs < 4000; runs++) {
        unsigned int at = 0;
        memset(code, 0xcc, 32); /* Wherever the instruction ends, int3 follows. */
        for (unsigned int i = random_next() % 4; i; i--)
            code[at++] = "\x66\x67\xf2\xf3\x2e\x36\x48\x4c\x41\x64"[random_next() % 10];
        if (random_next() % 8 == 0) {
            memcpy(code + at, "\x0f\x0bxen", 5);
            at += 5;
        }
        code[at++] = 0x0f;
        uint8_t second = seconds[random_next() % 15];
        code[at++] = second;
        uint8_t modrm = (uint8_t)random_next();
        if ((modrm >> 3 & 7) == 3 || (modrm >> 3 & 7) == 2)
            modrm = (uint8_t)(modrm & ~0x38);
        if ((modrm & 7) == 4) /* The stack pointer as a target would end the guest. */
            modrm ^= 1;
        bool has_operand = second != 0x06 && second != 0x08 && second != 0x09 && second != 0x32 &&
                           second != 0x33 && second != 0xa2;
        if (has_operand)
            code[at++] = modrm;
#ifdef __x86_64__
        uint64_t a = random_next(),
                 b = random_next() % 16 * 0x1000000000000000 + HYPERVISOR_ADDRESS,
                 c = random_next() % 0x300, address = ISLAND;
        __asm__ volatile(
            "pushq %%rbp; movq %%rsp, %1; leaq 1f(%%rip), %%rdi; movq %%rdi, %0;"
            "xorl %%edi, %%edi; xorl %%esi, %%esi; xorl %%ebp, %%ebp; xorl %%r8d, %%r8d; xorl "
            "%%r9d, %%r9d;"
            "xorl %%r10d, %%r10d; xorl %%r11d, %%r11d; xorl %%r12d, %%r12d; xorl %%r13d, %%r13d;"
            "xorl %%r14d, %%r14d; xorl %%r15d, %%r15d; jmp *%%rdx; 1: popq %%rbp"
            : "=m"(resume), "=m"(kept), "+a"(a), "+b"(b), "+c"(c), "+d"(address)
            :
            : "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
#else
        /* Where the guest has nothing, so that no store hits what it runs on. */
        uint32_t a = (uint32_t)random_next() % 0x30000000 + 0x80000000, c = random_next() % 0x300,
                 b = random_next() % 0x1ff0000 + HYPERVISOR_ADDRESS, address = ISLAND;
        __asm__ volatile("pushl %%ebp; movl %%esp, %1; movl $1f, %0; xorl %%edi, %%edi; xorl %%esi, %%esi;"
                         "xorl %%ebp, %%ebp; jmp *%%edx; 1: popl %%ebp"
                         : "=m"(resume), "=m"(kept), "+a"(a), "+b"(b), "+c"(c), "+d"(address)
                         :
                         : "esi", "edi", "memory", "cc");
#endif
    }
    expect_value("runs", runs, 4000);
    expect_value("each ended in a fault", faults, runs);
    set_trap_hook(0);
    expect_fault("ud2", TRY("ud2", :), FAULT(VECTOR_UD, 0));
}
