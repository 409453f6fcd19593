/*
 * Lets the tests of Tests/Guests/front-* run in a generated kernel with a generated driver: the same
 * calls as in Tests/Guests/common/os/front.h, over what `xenograft generate` has written.
 */
#ifndef GENERATED_FRONT_H
#define GENERATED_FRONT_H

#include "clock.h"
#include "console.h"
#include "text.h"

#include "xg_bus.h"
#include "xg_grant.h"

#define SECONDS SECOND
#define MILLISECONDS MILLISECOND

static inline uint64_t system_time(void)
{
    return clock_now();
}

void front_start(const struct xg_driver *const *drivers, size_t count);
void say(const char *first, ...);
const char *number_text(uint64_t value);
void say_check(const char *what, bool good);
__attribute__((noreturn)) void front_end(void);
bool option_given(const char *word);
uint64_t option_number(const char *word, uint64_t otherwise);
bool front_until(bool (*condition)(void), uint64_t nanoseconds);

/* The test. */
void test_main(void);

#endif /* GENERATED_FRONT_H */
