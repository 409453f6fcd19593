/*
 * test: attack-forced-emulation
 * Xen's forced-emulation prefix in the last bytes before an unmapped page, before the hypervisor,
 * at the end of all addresses, and before instructions of every kind. A careless hypervisor reads
 * the instruction with its own rights, or past what it has copied.
 */
#include "guest.h"


#define LOW_LAST (0x0000800000000000ul - PAGE_SIZE)

static uint8_t *code;
static uint64_t start, resume, kept;
static unsigned int faults;

static bool hook(struct trap_frame *frame)
{
    if (frame->rip - start > PAGE_SIZE + 16 && frame->vector != VECTOR_PF)
        return false;
    faults++;
    frame->rip = resume;
    frame->rsp = kept;
    return true;
}

static void go(uint64_t address)
{
    start = address & ~(PAGE_SIZE - 1);
    __asm__ volatile("movq %%rsp, %1; leaq 1f(%%rip), %%rax; movq %%rax, %0; jmp *%2; 1:"
                     : "=m"(resume), "=m"(kept)
                     : "r"(address)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory",
                       "cc");
}

void test_main(void)
{
    static const uint8_t prefix[] = {0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2};
    code = page_alloc();
    if (map(ISLAND, pte_make(mfn_of(code), PTE_READ_ONLY)) ||
        map(LOW_LAST, pte_make(mfn_of(code), PTE_READ_ONLY)) ||
        map(-PAGE_SIZE, pte_make(mfn_of(code), PTE_READ_ONLY)))
        panic("cannot map");
    set_trap_hook(hook);
    unsigned int tries = 0;
    static const uint64_t bases[] = {ISLAND, LOW_LAST, -PAGE_SIZE};
    for (unsigned int length = 1; length <= 7; length++) {
        memset(code, 0x90, PAGE_SIZE);
        memcpy(code + PAGE_SIZE - length, prefix, length);
        for (unsigned int i = 0; i < 3; i++) {
            go(bases[i] + PAGE_SIZE - length);
            tries++;
        }
    }
    expect_value("faults at the ends of pages", faults, tries);
    /* Before every opcode, each followed by ud2; only cpuid is emulated. */
    faults = tries = 0;
    for (unsigned int opcode = 0; opcode < 512; opcode++) {
        memset(code, 0x0b, 64);
        memcpy(code, prefix, 5);
        unsigned int at = 5;
        if (opcode >= 256)
            code[at++] = 0x0f;
        code[at++] = (uint8_t)opcode;
        code[at++] = 0x0f;
        code[at++] = 0x0b;
        go(ISLAND);
        tries++;
    }
    /* Prefixes without end. */
    memset(code, 0x66, 64);
    memcpy(code, prefix, 5);
    go(ISLAND);
    memset(code, 0xf0, 64);
    memcpy(code, prefix, 5);
    go(ISLAND);
    expect_value("faults behind the prefix", faults, tries + 2);
}
