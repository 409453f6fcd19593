/*
 * Signals: installed, taken from a process itself, and from a fault.
 */
#define _GNU_SOURCE
#include "bench.h"

#include <signal.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

/* Bytes of `movb $0, (%rax)`. */
#define STORE_LENGTH 3

static volatile unsigned long taken;
static char *read_only;

static void take(int number)
{
    (void)number;
    taken++;
}

/* Goes on behind the store that faulted. */
static void skip_store(int number, siginfo_t *information, void *context)
{
    (void)number;
    check(information->si_addr == read_only, "the address of a fault");
    ((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP] += STORE_LENGTH;
    taken++;
}

static void install(void)
{
    struct sigaction action = {.sa_handler = take};
    check(sigaction(SIGUSR1, &action, 0) == 0, "sigaction");
}

static void send_self(void)
{
    check(kill(getpid(), SIGUSR1) == 0, "kill");
}

static void store(void)
{
    __asm__ volatile("movb $0, (%%rax)" : : "a"(read_only) : "memory");
}

void measure_signals(void)
{
    report("signal-install", median(64, install, 0));
    taken = 0;
    report("signal-handle", median(64, send_self, 0));
    check(taken >= 64, "signals");

    read_only = mmap(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    check(read_only != MAP_FAILED, "mmap");
    struct sigaction action = {.sa_sigaction = skip_store, .sa_flags = SA_SIGINFO};
    check(sigaction(SIGSEGV, &action, 0) == 0, "sigaction");
    taken = 0;
    report("protection-fault", median(64, store, 0));
    check(taken >= 64, "faults");
    signal(SIGSEGV, SIG_DFL);
}
