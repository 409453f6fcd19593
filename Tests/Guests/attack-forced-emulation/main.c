/*
 * test: attack-forced-emulation
 * Xen's forced-emulation prefix in the last bytes before an unmapped page, before the hypervisor or
 * what is not canonical, at the end of all addresses, and before instructions of every kind. A careless hypervisor reads
 * the instruction with its own rights, or past what it has copied.
 */
#include "guest.h"

#ifdef __x86_64__
/* The last page before what is not canonical. */
#define LAST_PAGE (0x0000800000000000ul - PAGE_SIZE)
#else
/* The last page before the hypervisor's. */
#define LAST_PAGE (hypervisor_start() - PAGE_SIZE)
#endif

static uint8_t *code;
static unsigned long start, resume, kept;
static unsigned int faults;

static bool hook(struct trap_frame *frame)
{
    bool is_of_address = frame->vector == VECTOR_PF || (PAGING_LEVELS == 3 && frame->vector == VECTOR_GP);
    if (frame->rip - start > PAGE_SIZE + 16 && !is_of_address)
        return false;
    faults++;
    frame->rip = resume;
    frame->rsp = kept;
    return true;
}

static void go(unsigned long address)
{
    start = address & ~(PAGE_SIZE - 1ul);
#ifdef __x86_64__
    __asm__ volatile("movq %%rsp, %1; leaq 1f(%%rip), %%rax; movq %%rax, %0; jmp *%2; 1:"
                     : "=m"(resume), "=m"(kept)
                     : "r"(address)
                     : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory",
                       "cc");
#else
    __asm__ volatile("movl %%esp, %1; movl $1f, %0; jmp *%2; 1:"
                     : "=m"(resume), "=m"(kept), "+a"(address)
                     :
                     : "ebx", "ecx", "edx", "esi", "edi", "memory", "cc");
#endif
}

void test_main(void)
{
    static const uint8_t prefix[] = {0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2};
    code = page_alloc();
    /* On 32 bits the last page of all is the hypervisor's, and the jump there is what faults. */
    if (map(ISLAND, pte_make(mfn_of(code), PTE_READ_ONLY)) ||
        map(LAST_PAGE, pte_make(mfn_of(code), PTE_READ_ONLY)) ||
        (PAGING_LEVELS == 4 && map(-PAGE_SIZE, pte_make(mfn_of(code), PTE_READ_ONLY))))
        panic("cannot map");
    set_trap_hook(hook);
    unsigned int tries = 0;
    const unsigned long bases[] = {ISLAND, LAST_PAGE, -(unsigned long)PAGE_SIZE};
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
