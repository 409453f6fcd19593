/* Tests, each in a process of its own: the frontends' state is global, as in a kernel. */
#ifndef TESTS_H
#define TESTS_H

#include "host.h"

struct test {
    const char *name;
    test_function *run;
};

extern const struct test block_tests[], net_tests[], store_tests[], small_tests[];

/* Splits a test into cases: true in a new process, which ends with tests_child_end(). */
bool tests_child(void);
bool tests_child_named(const char *kind, const char *name, uint64_t seed);
_Noreturn void tests_child_end(void);

#endif /* TESTS_H */
