/* What a program must not do ends that program, and nobody else. */
#include "user.h"

#define PROGRAM 0x400000
#define STACK 0x7fffffff00
#define KERNEL 0xffffffff80100000

/* An address that the compiler knows nothing of. */
static volatile char *at(uint64_t address)
{
    __asm__("" : "+r"(address));
    return (volatile char *)address;
}

static void write_nowhere(void)
{
    *at(16) = 1;
}

static void write_code(void)
{
    *at(PROGRAM) = 1;
}

static void read_kernel(void)
{
    (void)*at(KERNEL);
}

static void run_stack(void)
{
    ((void (*)(void))(uintptr_t)at(STACK))();
}

static void halt(void)
{
    __asm__ volatile("hlt");
}

static void mask_interrupts(void)
{
    __asm__ volatile("cli");
}

static void touch_port(void)
{
    __asm__ volatile("outb %%al, $0x80" : : "a"(0));
}

static void divide(void)
{
    __asm__ volatile("divl %%ecx" : : "a"(1), "d"(0), "c"(0));
}

static void invalid(void)
{
    __asm__ volatile("ud2");
}

#define PAGE_FAULT 14
#define PROTECTION 13

static const struct {
    const char *what;
    void (*run)(void);
    int vector;
} faults[] = {
    {"writes where nothing is", write_nowhere, PAGE_FAULT},
    {"writes to its code", write_code, PAGE_FAULT},
    {"reads the kernel's memory", read_kernel, PAGE_FAULT},
    {"runs its stack", run_stack, PAGE_FAULT},
    {"halts the processor", halt, PROTECTION},
    {"masks interrupts", mask_interrupts, PROTECTION},
    {"writes to a port", touch_port, PROTECTION},
    {"divides by zero", divide, 0},
    {"is no instruction", invalid, 6},
};

int main(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    for (unsigned int i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
        int pid = fork();
        if (pid == 0) {
            faults[i].run();
            exit(0);
        }
        check(faults[i].what, wait(pid) == STATUS_KILLED + faults[i].vector);
    }
    check("the parent lives", true);
    return check_status();
}
