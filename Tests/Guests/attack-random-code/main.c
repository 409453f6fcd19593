/*
 * test: attack-random-code
 * Random bytes as user mode's code, four thousand times, with random registers, stepped so that no
 * run is without end; every fourth begins with the forced-emulation prefix or another that leads
 * into the hypervisor's decoder. Each run must come back to the kernel.
 */
#include "guest.h"

#define CODE 0x500000ul

static bool hook(struct trap_frame *frame)
{
    if (frame->rip < UNMAPPED_ADDRESS)
        user_ended(frame);
    return false;
}

void test_main(void)
{
    uint64_t *code = page_alloc();
    user_initialise();
    if (map(CODE, pte_make(mfn_of(code), PTE_READ_ONLY | PTE_USER)))
        panic("cannot map");
    set_trap_hook(hook);
    unsigned int ended = 0;
    static const uint64_t starts[] = {0,      0x6e65780b0f, 0x220f, 0x200f,
                                      0x300f, 0x010f,       0xae0f, 0xc70f};
    for (unsigned int run = 0; run < 4000; run++) {
        for (unsigned int i = 0; i < 8; i++)
            code[i] = random_next();
        if (run % 4 == 1) {
            uint64_t start = starts[random_next() % 8];
            uint64_t mask = start > 0xffff ? 0xffffffffff : 0xffff;
            code[0] = (code[0] & ~mask) | (start & mask);
        }
        struct trap_frame frame = user_frame(code);
#ifdef __x86_64__
        uint64_t *registers = &frame.r15, *end = &frame.vector;
#else
        uint32_t *registers = &frame.rdi, *end = &frame.vector;
#endif
        for (unsigned int i = 0; &registers[i] < end; i++)
            registers[i] = random_next() & 1 ? random_next() : USER_DATA + (random_next() & 0xff8);
        frame.rip = CODE;
        frame.rflags |= 0x100;
        for (unsigned int step = 0; step < 6; step++) {
            user_run(&frame);
            if (frame.vector != VECTOR_DB || frame.rip - CODE >= PAGE_SIZE)
                break;
            frame.cs = FLAT_USER_CS;
            frame.ss = FLAT_USER_SS;
            frame.rflags = 0x302;
#ifdef __i386__
            frame.ds = frame.es = FLAT_USER_DS;
#endif
        }
        ended++;
    }
    expect_value("runs that came back", ended, 4000);
}
