/* What programs and the kernel agree on: system calls, their errors, and flags. */
#ifndef SLATE_H
#define SLATE_H

/*
 * A program calls by the syscall instruction: number in rax, up to three arguments in rdi, rsi,
 * rdx; the result comes back in rax, negative for an error. rcx and r11 are lost.
 */
enum system_call {
    CALL_EXIT,            /* (status) */
    CALL_FORK,            /* () -> child's pid in the parent, 0 in the child */
    CALL_EXEC,            /* (path, argument texts, ended by 0) */
    CALL_WAIT,            /* (pid) -> status of that child, which is then gone */
    CALL_GETPID,          /* () -> pid */
    CALL_OPEN,            /* (path, flags) -> descriptor */
    CALL_CLOSE,           /* (descriptor) */
    CALL_READ,            /* (descriptor, buffer, size) -> bytes */
    CALL_WRITE,           /* (descriptor, buffer, size) -> bytes */
    CALL_SYNC,            /* () everything written is on the disk, and nothing of it in memory */
    CALL_SBRK,            /* (bytes) -> where the new memory begins */
    CALL_YIELD,           /* () */
    CALL_SLEEP,           /* (milliseconds) */
    CALL_TIME,            /* () -> milliseconds since the start */
    CALL_PREEMPTED,       /* () -> how often this process lost the processor unasked */
    CALL_THREAD_POINTER,  /* (address) what %fs counts from */
    CALL_FREE_PAGES,      /* () -> pages of memory that nobody has */
    CALL_POWEROFF,        /* () */
    CALLS
};

#define ERROR_NOT_FOUND (-2)
#define ERROR_TOO_BIG (-7)
#define ERROR_BAD_FILE (-9)
#define ERROR_NO_CHILD (-10)
#define ERROR_AGAIN (-11)
#define ERROR_NO_MEMORY (-12)
#define ERROR_FAULT (-14)
#define ERROR_NOT_DIRECTORY (-20)
#define ERROR_IS_DIRECTORY (-21)
#define ERROR_INVALID (-22)
#define ERROR_TOO_MANY (-24)
#define ERROR_NO_SPACE (-28)
#define ERROR_NO_CALL (-38)
#define ERROR_IO (-5)

/* Flags of open. */
#define OPEN_WRITE 1
#define OPEN_CREATE 2   /* if it is not there */
#define OPEN_TRUNCATE 4 /* to nothing */

/* The console, which every process begins with. */
#define CONSOLE 1

/* Added to the vector of an exception in the status of a process that was ended by it. */
#define STATUS_KILLED 256
#define STATUS_PAGE_FAULT (STATUS_KILLED + 14)

#define ARGUMENTS 8       /* texts that exec takes, */
#define ARGUMENT_BYTES 256 /* and their bytes in all, zeros included */
#define PATH_BYTES 64

#endif
