/*
 * test: attack-race-emulation
 * One vcpu executes an instruction that the hypervisor decodes, the other changes its bytes all the
 * time. A careless hypervisor fetches twice: it finds one instruction allowed and does another.
 */
#include "guest.h"

static volatile uint8_t *code;
static unsigned long resume, kept;
static unsigned int faults;

static void changing(void)
{
    static const uint8_t opcodes[] = {0x20, 0x32, 0x30, 0x21, 0x23, 0x09, 0x06, 0xa2, 0x0b, 0x22};
    for (unsigned int i = 0; !second_shall_stop(); i++) {
        code[1] = opcodes[i % 10];
        code[7] = (uint8_t)(i & 1 ? 0x0f : 0xcc);
    }
}

static bool hook(struct trap_frame *frame)
{
    faults++;
    frame->rip = resume;
    frame->rsp = kept;
    return true;
}

void test_main(void)
{
    code = page_alloc();
    memset((void *)code, 0xcc, 64);
    code[0] = 0x0f;
    code[1] = 0x20;
    /* Register 0 only, as CR3 with junk is a guest's end; behind a shorter one a harmless rotation.
     */
    code[2] = 0xc0;
    if (map(ISLAND, pte_make(mfn_of(code), PTE_READ_ONLY)))
        panic("cannot map");
    if (!second_start(changing))
        return;
    set_trap_hook(hook);
    unsigned int runs = 0;
    uint64_t start = system_time();
    for (; runs < 30000 && system_time() - start < 3 * SECONDS; runs++) {
        unsigned long a = 0x80050033, b = 0, c = 0xc0000100, d = 0;
#ifdef __x86_64__
        __asm__ volatile("pushq %%rbp; movq %%rsp, %1; leaq 1f(%%rip), %%rdi; movq %%rdi, %0; jmp "
                         "*%6; 1: popq %%rbp"
                         : "=m"(resume), "=m"(kept), "+a"(a), "+b"(b), "+c"(c), "+d"(d)
                         : "r"(ISLAND)
                         : "rsi", "rdi", "memory", "cc");
#else
        unsigned long address = ISLAND;
        __asm__ volatile("pushl %%ebp; movl %%esp, %1; movl $1f, %0; jmp *%%esi; 1: popl %%ebp"
                         : "=m"(resume), "=m"(kept), "+a"(a), "+b"(b), "+c"(c), "+d"(d), "+S"(address)
                         :
                         : "edi", "memory", "cc");
#endif
    }
    second_stop();
    set_trap_hook(0);
    expect_true("runs were made", runs > 0 && faults == runs);
    expect_fault("ud2", TRY("ud2", :), FAULT(VECTOR_UD, 0));
}
