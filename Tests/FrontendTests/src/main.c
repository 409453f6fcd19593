/* Runs the tests: frontend-tests [PART OF A NAME]. The last line is `N passed, N failed`. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests.h"

#define SECONDS_FOR_ONE 300u

static unsigned int cases, failed_cases;

static bool child(const char *kind, const char *name, uint64_t seed)
{
    fflush(stdout);
    pid_t process = fork();
    int status = 1;

    if (process == 0) {
        alarm(SECONDS_FOR_ONE);
        cases = failed_cases = host_failures = 0;
        return true;
    }
    cases++;
    waitpid(process, &status, 0);
    if (status) {
        failed_cases++;
        host_failures++;
        printf("    in %s %s, %llu%s\n", kind, name, (unsigned long long)seed,
               WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM ? ": hangs" : "");
    }
    return false;
}

bool tests_child(void)
{
    return child("case", "", cases);
}

bool tests_child_named(const char *kind, const char *name, uint64_t seed)
{
    return child(kind, name, seed);
}

void tests_child_end(void)
{
    fflush(stdout);
    _exit(host_failures != 0);
}

int main(int argc, char **argv)
{
    static const struct test *const groups[] = {store_tests, block_tests, net_tests, small_tests};
    unsigned int passed = 0, failed = 0;

    for (size_t group = 0; group < sizeof(groups) / sizeof(groups[0]); group++) {
        for (const struct test *test = groups[group]; test->name; test++) {
            if (argc > 1 && !strstr(test->name, argv[1]))
                continue;
            unsigned int before = host_failures;
            fflush(stdout);
            pid_t process = fork();
            int status = 1;
            if (process == 0) {
                alarm(SECONDS_FOR_ONE);
                host_start(1);
                test->run();
                printf("  %-58s %s", test->name, host_failures ? "FAILED" : "passed");
                if (cases)
                    printf(" (%u cases)", cases);
                printf("\n");
                tests_child_end();
            }
            waitpid(process, &status, 0);
            if (WIFSIGNALED(status))
                printf("  %-58s %s\n", test->name, WTERMSIG(status) == SIGALRM ? "HANGS" : "CRASHED");
            if (status || host_failures != before)
                failed++;
            else
                passed++;
        }
    }
    printf("%u passed, %u failed\n", passed, failed);
    return failed != 0;
}
