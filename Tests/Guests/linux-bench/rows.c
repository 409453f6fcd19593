/*
 * linux-bench
 * The microbenchmarks of lmbench that "Xen and the Art of Virtualization" has tables of, as a program of
 * user mode for any Linux: on Rootstock, on stock Xen and on the bare machine. The time-stamp counter is
 * the measure, which counts instructions under QEMU's -icount shift=0. Each row is a line, `bench: NAME
 * NUMBER`, and `bench: done` is the last; a call that fails ends it before. .ci/bench-linux makes the
 * table.
 */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLES 21

void check(int is_good, const char *what)
{
    if (is_good)
        return;
    printf("bench: %s: %s\n", what, strerror(errno));
    exit(1);
}

uint64_t read_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high) : : "memory");
    return (uint64_t)high << 32 | low;
}

uint64_t median(unsigned int count, void (*operation)(void), void (*reset)(void))
{
    uint64_t samples[SAMPLES];
    for (unsigned int sample = 0; sample <= SAMPLES; sample++) {
        uint64_t start = read_tsc();
        for (unsigned int round = 0; round < count; round++)
            operation();
        uint64_t ticks = read_tsc() - start;
        if (reset)
            reset();
        if (!sample)
            continue;
        unsigned int place = sample - 1;
        for (; place && samples[place - 1] > ticks; place--)
            samples[place] = samples[place - 1];
        samples[place] = ticks;
    }
    return (samples[SAMPLES / 2] + count / 2) / count;
}

void report(const char *name, uint64_t instructions)
{
    printf("bench: %s %lu\n", name, instructions);
}

/* A thousand instructions of user mode: the counter must say so, or its figures are of something else. */
static void thousand_instructions(void)
{
    unsigned long left = 500;
    __asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(left));
}

int main(int count, char **words)
{
    /* What the rows of exec start: a program that ends. */
    if (count > 1 && strcmp(words[1], "nothing") == 0)
        return 0;
    setvbuf(stdout, 0, _IOLBF, 0);
    report("thousand", median(64, thousand_instructions, 0));
    measure_calls();
    measure_signals();
    measure_processes();
    measure_switches();
    measure_files();
    measure_memory();
    printf("bench: done\n");
    return 0;
}
