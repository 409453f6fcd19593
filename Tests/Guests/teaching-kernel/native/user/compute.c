/*
 * Many processes compute, none gives the processor away, and each is interrupted at every place of
 * its loop: registers, memory and thread pointer are its own at the end.
 */
#include "user.h"

#define WORKERS 8
#define ROUNDS 20000
#define WANTED 5        /* interruptions of each, */
#define MOST_WORK 100000 /* in so many rounds of work */

static uint64_t own[2];

static uint64_t work(uint64_t seed)
{
    for (int i = 0; i < ROUNDS; i++)
        seed = checksum(seed, &seed, sizeof(seed));
    return seed;
}

static uint64_t read_thread_word(void)
{
    uint64_t value;
    __asm__ volatile("movq %%fs:8, %0" : "=r"(value));
    return value;
}

static int worker(uint64_t number)
{
    uint64_t first = work(number);

    own[1] = number;
    thread_pointer(own);
    for (int i = 0; i < MOST_WORK && preempted() < WANTED; i++) {
        if (work(number) != first || read_thread_word() != number)
            return 1;
    }
    return preempted() < WANTED ? 2 : 0;
}

int main(int count, char **arguments)
{
    int pids[WORKERS];
    bool all = true;

    (void)count;
    (void)arguments;
    for (unsigned int i = 0; i < WORKERS; i++) {
        pids[i] = fork();
        if (pids[i] == 0)
            exit(worker(i + 100));
    }
    for (int i = 0; i < WORKERS; i++)
        all = wait(pids[i]) == 0 && all;
    check("eight compute in turns, each with its own registers", all);
    return check_status();
}
