/*
 * Processes started and waited for.
 */
#include "bench.h"

#include <sys/wait.h>
#include <unistd.h>

static void await(pid_t child)
{
    int status;
    check(child > 0 && waitpid(child, &status, 0) == child && status == 0, "a child");
}

static void fork_exit(void)
{
    pid_t child = fork();
    if (!child)
        _exit(0);
    await(child);
}

static void fork_exec(void)
{
    pid_t child = fork();
    if (!child) {
        execl("/proc/self/exe", "linux-bench", "nothing", (char *)0);
        _exit(1);
    }
    await(child);
}

static void fork_shell(void)
{
    pid_t child = fork();
    if (!child) {
        /* A second command, or the shell would become the first. */
        execl("/bin/sh", "sh", "-c", "/bin/linux-bench nothing; exit $?", (char *)0);
        _exit(1);
    }
    await(child);
}

void measure_processes(void)
{
    report("fork", median(4, fork_exit, 0));
    report("exec", median(2, fork_exec, 0));
    report("sh", median(1, fork_shell, 0));
}
