/* Time goes on, and never back; a sleeper sleeps as long as it wants to. */
#include "user.h"

#define LOOKS 2000

int main(int count, char **arguments)
{
    uint64_t begin = time(), last = begin;
    bool forward = true;

    (void)count;
    (void)arguments;
    for (int i = 0; i < LOOKS; i++) {
        uint64_t now = time();
        forward = now >= last && forward;
        last = now;
    }
    check("time does not go back", forward);
    begin = time();
    sleep(120);
    check("who sleeps 120 ms sleeps so long", time() - begin >= 120);

    begin = time();
    int pid = fork();
    if (pid == 0) {
        sleep(200);
        exit(0);
    }
    sleep(200);
    wait(pid);
    check("two can sleep at once", time() - begin >= 200);
    return check_status();
}
