/*
 * test: attack-emulation-crossing
 * Instructions that hypervisors emulate, laid across the end of a page whose neighbour is unmapped,
 * not executable or the hypervisor; also with too many prefixes. The bytes must be fetched as the
 * processor would, with its faults.
 */
#include "guest.h"

#ifdef __x86_64__
/* The last page before what is not canonical. */
#define LAST_PAGE (0x0000800000000000ul - PAGE_SIZE)
/* A prefix that may stand before an opcode many times: REX.W. */
#define PREFIX 0x48
#else
/* The last page before the hypervisor's. */
#define LAST_PAGE (hypervisor_start() - PAGE_SIZE)
/* The segment DS. */
#define PREFIX 0x3e
#endif

static unsigned long resume, kept;
static unsigned int faults;

static bool hook(struct trap_frame *frame)
{
    faults++;
    frame->rip = resume;
    frame->rsp = kept;
    return true;
}

static void go(unsigned long address)
{
#ifdef __x86_64__
    __asm__ volatile(
        "movq %%rsp, %1; leaq 1f(%%rip), %%rax; movq %%rax, %0; xorl %%eax, %%eax; jmp *%2; 1:"
        : "=m"(resume), "=m"(kept)
        : "r"(address)
        : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
#else
    __asm__ volatile("movl %%esp, %1; movl $1f, %0; xorl %%eax, %%eax; jmp *%2; 1:"
                     : "=m"(resume), "=m"(kept), "+d"(address)
                     :
                     : "eax", "ebx", "ecx", "esi", "edi", "memory", "cc");
#endif
}

void test_main(void)
{
    /* Each ends in ud2 where it is emulated. */
    static const struct {
        uint8_t bytes[6];
        uint8_t length;
    } rows[] = {
        {{0x0f, 0x20, 0xc0}, 3}, /* mov %cr0, %rax */
        {{0x0f, 0x22, 0xc0}, 3}, /* mov %rax, %cr0 */
        {{0x0f, 0x32}, 2},       /* rdmsr */
        {{0x0f, 0x30}, 2},       /* wrmsr */
        {{0x0f, 0x01, 0x38}, 3}, /* invlpg (%rax) */
        {{0x0f, 0x06}, 2},       /* clts */
        {{0x0f, 0x09}, 2},       /* wbinvd */
        {{0x0f, 0x21, 0xc0}, 3}, /* mov %db0, %rax */
        {{0x0f, 0x01, 0xd1}, 3}, /* xsetbv */
        {{0xe4, 0x80}, 2},       /* in $0x80, %al */
        {{0xf3, PREFIX, 0x0f, 0x20, 0xc0}, 5},
    };
    uint8_t *code = page_alloc();
    if (map(ISLAND, pte_make(mfn_of(code), PTE_READ_ONLY)) ||
        map(ISLAND + 2 * PAGE_SIZE, pte_make(mfn_of(code), PTE_READ_ONLY)) ||
        map(ISLAND + 3 * PAGE_SIZE, pte_make(mfn_of(code), PTE_READ_ONLY | PTE_NX)) ||
        map(LAST_PAGE, pte_make(mfn_of(code), PTE_READ_ONLY)))
        panic("cannot map");
    set_trap_hook(hook);
    const unsigned long bases[] = {ISLAND, ISLAND + 2 * PAGE_SIZE, LAST_PAGE};
    unsigned int tries = 0;
    for (unsigned int row = 0; row < sizeof(rows) / sizeof(rows[0]); row++)
        for (unsigned int inside = 1; inside <= rows[row].length; inside++) {
            memset(code, 0x0b, PAGE_SIZE);
            memcpy(code + PAGE_SIZE - inside, rows[row].bytes, inside);
            memcpy(code, rows[row].bytes + inside, rows[row].length - inside);
            for (unsigned int i = 0; i < 3; i++) {
                go(bases[i] + PAGE_SIZE - inside);
                tries++;
            }
        }
    /* Fifteen bytes are an instruction's most. */
    for (unsigned int count = 10; count < 20; count++) {
        memset(code, PREFIX, count);
        memcpy(code + count, "\x0f\x20\xc0\x0f\x0b", 5);
        go(ISLAND);
        memset(code, 0x66, count);
        go(ISLAND);
        tries += 2;
    }
    expect_value("faults", faults, tries);
}
