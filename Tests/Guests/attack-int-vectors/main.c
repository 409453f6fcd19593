/*
 * test: attack-int-vectors
 * INT n with each of the 256 vectors, from user mode and from the kernel, before and after gates
 * for all of them are registered with and without the privilege for user mode. The hypervisor's own
 * gates (its timer, its IPIs) must not be reached.
 */
#include "guest.h"

static uint8_t *code;
static unsigned int faults, gates;

static bool hook(struct trap_frame *frame)
{
    if (frame->vector == ENTRY_GATE)
        gates++;
    else
        faults++;
    frame->rip = *(unsigned long *)frame->rsp;
    frame->rsp += sizeof(long);
    return true;
}

static void kernel_all(const char *what)
{
    faults = gates = 0;
    set_trap_hook(hook);
    for (unsigned int vector = 0; vector < 256; vector++) {
        code[1] = (uint8_t)vector;
        /* One vector of 32 bits is that of hypercalls: of a number that none has. */
        long number = -1;
        __asm__ volatile("call *%1" : "+a"(number) : "r"(code) : "rcx", "r11", "memory");
    }
    set_trap_hook(0);
    print("%s: ", what);
    expect_value("all came to an end", faults + gates, 256);
}

static void user_all(const char *what, unsigned int *through)
{
    *through = 0;
    unsigned int ended = 0;
    for (unsigned int vector = 0; vector < 256; vector++) {
        code[1] = (uint8_t)vector;
        struct trap_frame frame = user_frame(code);
        frame.rip = 0x500000;
        user_run(&frame);
        ended++;
        /* Xen enters 0x80 directly, whatever its row says. */
        *through += frame.vector == ENTRY_GATE && vector != 0x80;
    }
    print("%s: ", what);
    expect_value("all came to an end", ended, 256);
}

void test_main(void)
{
    unsigned int through;
    code = page_alloc();
    code[0] = 0xcd;
    code[2] = 0x0f;
    code[3] = 0x0b;
    user_initialise();
    if (map(0x500000, pte_make(mfn_of(code), PTE_READ_ONLY | PTE_USER)))
        panic("cannot map");
    kernel_all("kernel, no gates");
    user_all("user, no gates", &through);
    expect_value("through a gate", through, 0);
    static struct trap_info table[257];
    for (unsigned int dpl = 0; dpl < 4; dpl += 3) {
        unsigned int rows = 0;
        for (unsigned int vector = 32; vector < 256; vector++)
            table[rows++] = (struct trap_info){.vector = (uint8_t)vector,
                                               .flags = (uint8_t)dpl,
                                               .cs = FLAT_KERNEL_CS,
                                               .address = (unsigned long)trap_entry_gate};
        if (HYPERVISOR_set_trap_table(table))
            panic("set_trap_table");
        kernel_all(dpl ? "kernel, gates for user mode" : "kernel, gates for the kernel");
        user_all(dpl ? "user, gates for user mode" : "user, gates for the kernel", &through);
        /* QEMU 7.2 gives the wrong vector in the error code: how many is not to be told there. */
        expect_true("right ones through a gate", dpl ? through > 64 : through == 0);
    }
}
