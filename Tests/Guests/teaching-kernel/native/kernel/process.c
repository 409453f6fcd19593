/* Processes: how they come and go, and whose turn it is. */
#include "process.h"

#include "clock.h"
#include "console.h"
#include "cpu.h"
#include "memory.h"
#include "segments.h"
#include "slate.h"
#include "text.h"

#define STACK_SIZE 16384u

static struct process processes[PROCESSES];
static uint8_t stacks[PROCESSES][STACK_SIZE] __attribute__((aligned(16)));
static bool turn_is_over;

struct process *current;

extern char trap_return[];
void context_switch(uint64_t *save_stack, uint64_t stack);

static uint64_t stack_top(const struct process *process)
{
    return (uint64_t)stacks[process - processes] + STACK_SIZE;
}

struct frame *process_frame(struct process *process)
{
    return (struct frame *)(stack_top(process) - sizeof(struct frame));
}

/* What context_switch takes from a stack when a process runs for the first time. */
struct first_context {
    uint64_t registers[6];
    uint64_t begin;
};

static void set_context(struct process *process, uint64_t top, uint64_t begin)
{
    struct first_context *context = (struct first_context *)(top - sizeof(*context));

    *context = (struct first_context){.begin = begin};
    process->stack_pointer = (uint64_t)context;
}

void processes_start(void)
{
    current = &processes[0];
    *current = (struct process){.state = RUNNABLE, .name = "idle", .space = kernel_space};
}

static struct process *find_free(void)
{
    static int last_pid;

    for (struct process *process = processes; process < processes + PROCESSES; process++) {
        if (process->state == ENDED && !process->parent && process != current) {
            space_destroy(&process->space);
            process->state = FREE;
        }
        if (process->state == FREE) {
            *process = (struct process){.state = NEW, .pid = ++last_pid, .parent = current};
            return process;
        }
    }
    return 0;
}

void process_name(struct process *process, const char *name)
{
    memset(process->name, 0, NAME_LENGTH);
    for (unsigned int i = 0; i + 1 < NAME_LENGTH && name[i]; i++)
        process->name[i] = name[i];
}

/* A thread's first function. Whoever switched to it had interrupts off. */
static void thread_begin(void)
{
    interrupts_enable();
    current->begin();
    process_exit(0);
}

void process_create(const char *name, void (*begin)(void))
{
    struct process *process = find_free();

    if (!process)
        panic("no process is free for %s", name);
    process_name(process, name);
    process->space = kernel_space;
    process->begin = begin;
    /* Below the frame by which it may go to a program, and where a call would leave the stack. */
    set_context(process, (uint64_t)process_frame(process) - 8, (uint64_t)thread_begin);
    process->state = RUNNABLE;
}

int process_fork(void)
{
    struct process *child = find_free();
    struct space copy;

    if (!child)
        return ERROR_AGAIN;
    if (!space_create(&copy)) {
        child->state = FREE;
        return ERROR_NO_MEMORY;
    }
    if (!space_copy(&copy, &current->space)) {
        space_destroy(&copy);
        child->state = FREE;
        return ERROR_NO_MEMORY;
    }
    process_name(child, current->name);
    child->space = copy;
    child->heap_start = current->heap_start;
    child->heap_end = current->heap_end;
    child->thread_pointer = current->thread_pointer;
    memcpy(child->files, current->files, sizeof(child->files));
    *process_frame(child) = *process_frame(current);
    process_frame(child)->rax = 0;
    set_context(child, (uint64_t)process_frame(child), (uint64_t)trap_return);
    child->state = RUNNABLE;
    return child->pid;
}

void process_exit(int status)
{
    interrupts_disable();
    for (struct process *child = processes; child < processes + PROCESSES; child++) {
        if (child->parent == current)
            child->parent = 0;
    }
    current->status = status;
    current->state = ENDED;
    if (current->parent)
        process_wake(current->parent);
    process_yield();
    panic("a process came back from its end");
}

static struct process *find_child(int pid)
{
    for (struct process *process = processes; process < processes + PROCESSES; process++) {
        if (process->state != FREE && process->parent == current && process->pid == pid)
            return process;
    }
    return 0;
}

int process_wait(int pid)
{
    struct process *child = find_child(pid);

    if (!child)
        return ERROR_NO_CHILD;
    uint64_t flags = interrupts_save();
    while (child->state != ENDED)
        process_sleep(current, 0);
    interrupts_restore(flags);
    space_destroy(&child->space);
    child->state = FREE;
    return child->status;
}

/* Round robin: the next one behind who runs now, and the idle process if there is nobody. */
static struct process *next_runnable(void)
{
    unsigned int at = (unsigned int)(current - processes);

    for (unsigned int i = 1; i <= PROCESSES; i++) {
        struct process *process = &processes[(at + i) % PROCESSES];
        if (process != processes && process->state == RUNNABLE)
            return process;
    }
    return processes;
}

void process_yield(void)
{
    uint64_t flags = interrupts_save();
    struct process *before = current;

    turn_is_over = false;
    current = next_runnable();
    if (current != before) {
        space_load(&current->space);
        segments_set_process(stack_top(current), current->thread_pointer);
        context_switch(&before->stack_pointer, current->stack_pointer);
    }
    interrupts_restore(flags);
}

void process_preempt(void)
{
    if (!turn_is_over)
        return;
    struct process *next = next_runnable();
    if (next != current && next != processes)
        current->preempted++;
    process_yield();
}

void process_sleep(const void *channel, uint64_t deadline)
{
    current->channel = channel;
    current->deadline = deadline;
    current->state = SLEEPING;
    process_yield();
}

static void make_runnable(struct process *process)
{
    process->state = RUNNABLE;
    process->channel = 0;
    process->deadline = 0;
}

void process_wake(const void *channel)
{
    uint64_t flags = interrupts_save();

    for (struct process *process = processes; process < processes + PROCESSES; process++) {
        if (process->state == SLEEPING && process->channel == channel)
            make_runnable(process);
    }
    interrupts_restore(flags);
}

void process_tick(void)
{
    uint64_t now = clock_now();

    for (struct process *process = processes; process < processes + PROCESSES; process++) {
        if (process->state == SLEEPING && process->deadline && process->deadline <= now)
            make_runnable(process);
    }
    turn_is_over = true;
}

void process_idle(void)
{
    for (;;) {
        interrupts_disable();
        if (next_runnable() == processes)
            wait_for_interrupt();
        else
            process_yield();
    }
}
