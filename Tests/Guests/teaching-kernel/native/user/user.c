/* System calls as functions, and what is built on them. */
#include "user.h"

#define LINE 200

static bool all_good = true;

void exit(int status)
{
    system_call(CALL_EXIT, (uint64_t)status, 0, 0);
    __builtin_unreachable();
}

int fork(void)
{
    return (int)system_call(CALL_FORK, 0, 0, 0);
}

int exec(const char *path, const char *const *arguments)
{
    return (int)system_call(CALL_EXEC, (uint64_t)path, (uint64_t)arguments, 0);
}

int wait(int pid)
{
    return (int)system_call(CALL_WAIT, (uint64_t)pid, 0, 0);
}

int getpid(void)
{
    return (int)system_call(CALL_GETPID, 0, 0, 0);
}

int open(const char *path, int flags)
{
    return (int)system_call(CALL_OPEN, (uint64_t)path, (uint64_t)flags, 0);
}

int close(int descriptor)
{
    return (int)system_call(CALL_CLOSE, (uint64_t)descriptor, 0, 0);
}

long read(int descriptor, void *buffer, size_t size)
{
    return system_call(CALL_READ, (uint64_t)descriptor, (uint64_t)buffer, size);
}

long write(int descriptor, const void *buffer, size_t size)
{
    return system_call(CALL_WRITE, (uint64_t)descriptor, (uint64_t)buffer, size);
}

int sync(void)
{
    return (int)system_call(CALL_SYNC, 0, 0, 0);
}

uint8_t *sbrk(long bytes)
{
    long result = system_call(CALL_SBRK, (uint64_t)bytes, 0, 0);
    return result < 0 ? (uint8_t *)-1 : (uint8_t *)result;
}

void yield(void)
{
    system_call(CALL_YIELD, 0, 0, 0);
}

void sleep(unsigned int milliseconds)
{
    system_call(CALL_SLEEP, milliseconds, 0, 0);
}

uint64_t time(void)
{
    return (uint64_t)system_call(CALL_TIME, 0, 0, 0);
}

uint64_t preempted(void)
{
    return (uint64_t)system_call(CALL_PREEMPTED, 0, 0, 0);
}

void thread_pointer(const void *address)
{
    system_call(CALL_THREAD_POINTER, (uint64_t)address, 0, 0);
}

uint64_t free_pages(void)
{
    return (uint64_t)system_call(CALL_FREE_PAGES, 0, 0, 0);
}

void poweroff(void)
{
    system_call(CALL_POWEROFF, 0, 0, 0);
}

void print(const char *format, ...)
{
    char line[LINE];
    va_list arguments;

    va_start(arguments, format);
    write(CONSOLE, line, text_format(line, sizeof(line), format, arguments));
    va_end(arguments);
}

void check(const char *what, bool good)
{
    print("%s: %s\n", what, good ? "yes" : "no");
    all_good = all_good && good;
}

int check_status(void)
{
    return all_good ? 0 : 1;
}

int spawn(const char *path, const char *const *arguments)
{
    int pid = fork();

    if (pid == 0) {
        exec(path, arguments);
        exit(127);
    }
    return pid;
}

/* FNV-1a, with another beginning. */
uint64_t checksum(uint64_t sum, const void *data, size_t size)
{
    const uint8_t *bytes = data;

    for (size_t i = 0; i < size; i++)
        sum = (sum ^ bytes[i]) * 0x100000001b3ul;
    return sum;
}
