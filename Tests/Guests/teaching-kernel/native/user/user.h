/* What programs have: system calls, and a few functions over them. */
#ifndef USER_H
#define USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "slate.h"
#include "text.h"

static inline long system_call(enum system_call number, uint64_t first, uint64_t second,
                               uint64_t third)
{
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "0"((long)number), "D"(first), "S"(second), "d"(third)
                     : "rcx", "r11", "memory");
    return result;
}

__attribute__((noreturn)) void exit(int status);
int fork(void);
int exec(const char *path, const char *const *arguments);
int wait(int pid);
int getpid(void);
int open(const char *path, int flags);
int close(int descriptor);
long read(int descriptor, void *buffer, size_t size);
long write(int descriptor, const void *buffer, size_t size);
int sync(void);
/* All ones: there is no memory left. */
uint8_t *sbrk(long bytes);
void yield(void);
void sleep(unsigned int milliseconds);
uint64_t time(void);
uint64_t preempted(void);
void thread_pointer(const void *address);
uint64_t free_pages(void);
void poweroff(void);

/* A line, written in one piece so that it stays one. */
__attribute__((format(printf, 1, 2))) void print(const char *format, ...);
/* Prints what was expected, and whether it is so. At the end check_status() is the program's. */
void check(const char *what, bool good);
int check_status(void);
/* Starts a program with arguments ended by 0; its pid. */
int spawn(const char *path, const char *const *arguments);
/* A checksum that goes on from `sum`; begin with 0. */
uint64_t checksum(uint64_t sum, const void *data, size_t size);

int main(int count, char **arguments);

#endif
