/*
 * A token that goes round in a ring of processes with pipes between them; each reads so much of its own
 * memory first. As in lmbench, what the same pipes and reading cost within one process is taken off.
 */
#include "bench.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 16
#define MOST_BYTES (64u << 10)

static int pipes[MOST][2];
static unsigned int members, bytes;
static char *memory;

static void pass(unsigned int from, unsigned int to)
{
    char token;
    check(read(pipes[from][0], &token, 1) == 1, "a token");
    unsigned long sum = 0;
    for (unsigned int offset = 0; offset < bytes; offset += sizeof sum)
        sum += *(volatile unsigned long *)(memory + offset);
    check(write(pipes[to][1], &token, 1) == 1, "a token");
}

/* The first member's part in a round; it has the token again at its next. */
static void round_of_ring(void)
{
    pass(0, 1 % members);
}

static void round_alone(void)
{
    for (unsigned int member = 0; member < members; member++)
        pass(member, (member + 1) % members);
}

static uint64_t measure_ring(void)
{
    pid_t children[MOST];
    for (unsigned int member = 1; member < members; member++) {
        children[member] = fork();
        check(children[member] >= 0, "fork");
        if (children[member])
            continue;
        /* Memory of its own, and not its parent's. */
        memset(memory, (int)member, MOST_BYTES);
        for (;;)
            pass(member, (member + 1) % members);
    }
    /* The median's first sample waits for the children's start. */
    uint64_t whole = median(8, round_of_ring, 0);
    for (unsigned int member = 1; member < members; member++) {
        kill(children[member], SIGKILL);
        waitpid(children[member], 0, 0);
    }
    return whole;
}

static void measure_size(unsigned int processes, unsigned int kibibytes)
{
    members = processes;
    bytes = kibibytes << 10;
    for (unsigned int member = 0; member < members; member++)
        check(pipe(pipes[member]) == 0, "pipe");
    check(write(pipes[0][1], "t", 1) == 1, "a token");
    uint64_t alone = median(8, round_alone, 0);
    uint64_t ring = measure_ring();
    for (unsigned int member = 0; member < members; member++) {
        close(pipes[member][0]);
        close(pipes[member][1]);
    }
    char name[32];
    snprintf(name, sizeof name, "switch-%up-%uk", processes, kibibytes);
    check(ring > alone, "a ring");
    report(name, (ring - alone) / members);
}

void measure_switches(void)
{
    static const unsigned char sizes[][2] = {{2, 0}, {2, 16}, {2, 64}, {8, 16}, {8, 64}, {16, 16}, {16, 64}};
    memory = malloc(MOST_BYTES);
    check(memory != 0, "malloc");
    memset(memory, 1, MOST_BYTES);
    for (unsigned int which = 0; which < sizeof sizes / sizeof *sizes; which++)
        measure_size(sizes[which][0], sizes[which][1]);
}
