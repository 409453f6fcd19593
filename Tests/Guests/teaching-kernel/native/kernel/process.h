/*
 * Processes. Each has a program in an address space of its own, a stack in the kernel, and files.
 * In the kernel a process runs until it sleeps or goes back to its program: only programs are
 * preempted.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "file.h"
#include "paging.h"
#include "trap.h"

#define PROCESSES 24u
#define NAME_LENGTH 16u
#define FILES 8u

enum process_state { FREE, NEW, RUNNABLE, SLEEPING, ENDED };

struct process {
    enum process_state state;
    int pid;
    struct process *parent; /* 0: it has ended, and nobody will ask for the status */
    char name[NAME_LENGTH];
    struct space space;
    uint64_t stack_pointer; /* while others run */
    void (*begin)(void);    /* a kernel thread's function */
    uint64_t heap_start, heap_end;
    uint64_t thread_pointer;
    struct file files[FILES];
    const void *channel; /* what it sleeps on, */
    uint64_t deadline;   /* and until when; 0: for ever */
    uint64_t preempted;
    int status;
};

/* Who runs. Process 0 is the idle one, which begins as kernel_main. */
extern struct process *current;

/* Makes whoever calls process 0. */
void processes_start(void);
/* Makes a process that runs a function in the kernel. */
void process_create(const char *name, void (*begin)(void));
/* Gives it a name, as much of it as there is room for. */
void process_name(struct process *process, const char *name);
/* The frame by which a process left its program. */
struct frame *process_frame(struct process *process);

/* The system calls of the same names. */
int process_fork(void);
__attribute__((noreturn)) void process_exit(int status);
int process_wait(int pid);

/* Gives the processor to others. */
void process_yield(void);
/* The same on the way back to a program, if its time is over. */
void process_preempt(void);
/* Sleeps until somebody wakes the channel, or the time has come. Interrupts are off since what is
 * waited for was looked at; so no wake-up is lost. */
void process_sleep(const void *channel, uint64_t deadline);
void process_wake(const void *channel);
/* Called by the clock's interrupt. */
void process_tick(void);
/* Runs processes whenever there are any, and saves power otherwise. */
__attribute__((noreturn)) void process_idle(void);

#endif
