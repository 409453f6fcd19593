/* Processes: fork, exec, wait, and memory that is each one's own. */
#include "user.h"

#define CHILDREN 5

static int shared_once = 1;

int main(int count, char **arguments)
{
    int pids[CHILDREN];
    bool all = true;

    (void)count;
    (void)arguments;
    for (int i = 0; i < CHILDREN; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            shared_once += i;
            yield();
            exit(shared_once == 1 + i && getpid() > 1 ? 40 + i : 1);
        }
    }
    for (int i = 0; i < CHILDREN; i++)
        all = wait(pids[i]) == 40 + i && all;
    check("five children, each with its status", all);
    check("what they wrote is not seen here", shared_once == 1);

    static const char *const words[] = {"hello", "one", "two", 0};
    int pid = spawn("/bin/hello", words);
    check("a child runs another program", wait(pid) == 2);
    check("it is waited for once", wait(pid) == ERROR_NO_CHILD);
    pid = spawn("/bin/nothing", words);
    check("a program that is not there", wait(pid) == 127);
    check("a file that is no program", exec("/etc/selftest", words) == ERROR_INVALID);
    return check_status();
}
