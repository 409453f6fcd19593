/* System calls. What a program passes is checked here: addresses against its own page tables. */
#include "slate.h"

#include "clock.h"
#include "console.h"
#include "cpu.h"
#include "disk.h"
#include "file.h"
#include "file_system.h"
#include "layout.h"
#include "memory.h"
#include "process.h"
#include "program.h"
#include "segments.h"
#include "text.h"

#define MOST_SLEEP 3600000u

/* Whether the program could do that itself. It has one thread, which is here: so it stays true. */
static bool is_accessible(uint64_t address, uint64_t size, bool write)
{
    uint64_t end = address + size;

    if (end < address || end > USER_END)
        return false;
    for (uint64_t page = address & ~(PAGE_SIZE - 1ul); page < end; page += PAGE_SIZE) {
        if (!space_page(&current->space, page, write))
            return false;
    }
    return true;
}

/* Copies a text out of the program; its length, or an error. */
static long copy_text(char *buffer, uint64_t size, uint64_t address)
{
    for (uint64_t i = 0; i < size; i++) {
        if (!is_accessible(address + i, 1, false))
            return ERROR_FAULT;
        buffer[i] = *(const char *)(address + i);
        if (!buffer[i])
            return (long)i;
    }
    return ERROR_TOO_BIG;
}

static long call_exec(uint64_t path_address, uint64_t list)
{
    char path[PATH_BYTES];
    struct arguments arguments = {0};
    long length = copy_text(path, sizeof(path), path_address);

    while (length >= 0) {
        if (!is_accessible(list + arguments.count * 8ul, 8, false))
            return ERROR_FAULT;
        uint64_t text = *(const uint64_t *)(list + arguments.count * 8ul);
        if (!text)
            return program_exec(path, &arguments);
        if (arguments.count == ARGUMENTS)
            return ERROR_TOO_BIG;
        length =
            copy_text(arguments.texts + arguments.bytes, ARGUMENT_BYTES - arguments.bytes, text);
        arguments.bytes += (unsigned int)(length + 1);
        arguments.count++;
    }
    return length;
}

static long call_open(uint64_t path_address, uint64_t flags)
{
    char path[PATH_BYTES];
    long length = copy_text(path, sizeof(path), path_address);

    return length < 0 ? length : file_open(path, (int)flags);
}

static long call_sbrk(int64_t bytes)
{
    uint64_t before = current->heap_end, after = before + (uint64_t)bytes;

    if (bytes % PAGE_SIZE || after < current->heap_start || after > USER_END / 2)
        return ERROR_INVALID;
    for (uint64_t page = before; page < after; page += PAGE_SIZE) {
        if (space_add_page(&current->space, page, true, false))
            continue;
        while (page > before)
            space_remove_page(&current->space, page -= PAGE_SIZE);
        return ERROR_NO_MEMORY;
    }
    for (uint64_t page = after; page < before; page += PAGE_SIZE)
        space_remove_page(&current->space, page);
    current->heap_end = after;
    return (long)before;
}

static long call_sleep(uint64_t milliseconds)
{
    if (milliseconds > MOST_SLEEP)
        return ERROR_INVALID;
    uint64_t deadline = clock_now() + milliseconds * MILLISECOND;
    interrupts_disable();
    while (clock_now() < deadline)
        process_sleep(&current->deadline, deadline);
    interrupts_enable();
    return 0;
}

static long call_thread_pointer(uint64_t address)
{
    if (address >= USER_END)
        return ERROR_INVALID;
    current->thread_pointer = address;
    segments_set_process((uint64_t)(process_frame(current) + 1), address);
    return 0;
}

static long dispatch(uint64_t number, uint64_t first, uint64_t second, uint64_t third)
{
    switch (number) {
    case CALL_EXIT:
        process_exit((int)(first & 0xff));
    case CALL_FORK:
        return process_fork();
    case CALL_EXEC:
        return call_exec(first, second);
    case CALL_WAIT:
        return process_wait((int)first);
    case CALL_GETPID:
        return current->pid;
    case CALL_OPEN:
        return call_open(first, second);
    case CALL_CLOSE:
        return file_close(first);
    case CALL_READ:
        return is_accessible(second, third, true) ? file_read(first, (void *)second, third)
                                                  : ERROR_FAULT;
    case CALL_WRITE:
        return is_accessible(second, third, false) ? file_write(first, (const void *)second, third)
                                                   : ERROR_FAULT;
    case CALL_SYNC:
        return file_system_sync();
    case CALL_SBRK:
        return call_sbrk((int64_t)first);
    case CALL_YIELD:
        process_yield();
        return 0;
    case CALL_SLEEP:
        return call_sleep(first);
    case CALL_TIME:
        return (long)(clock_now() / MILLISECOND);
    case CALL_PREEMPTED:
        return (long)current->preempted;
    case CALL_THREAD_POINTER:
        return call_thread_pointer(first);
    case CALL_FREE_PAGES:
        return (long)pages_free_count();
    case CALL_POWEROFF:
        file_system_sync();
        disk_stop();
        power_off();
    default:
        return ERROR_NO_CALL;
    }
}

/* Called by entry.S with interrupts on. */
void system_call(struct frame *frame);
void system_call(struct frame *frame)
{
    uint64_t number = frame->rax;
    long result = dispatch(number, frame->rdi, frame->rsi, frame->rdx);

    /* A new program finds its own frame. */
    if (number != CALL_EXEC || result < 0)
        frame->rax = (uint64_t)result;
    process_preempt();
}
