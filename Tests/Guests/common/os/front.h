/*
 * What a guest with frontends includes: the runtime, the frontends, and helpers that print on the
 * domain's own console as well, which a guest that is not domain 0 needs on a release build of Xen.
 */
#ifndef GUEST_FRONT_H
#define GUEST_FRONT_H

#include "guest.h"

#include "xg_bus.h"
#include "xg_console.h"
#include "xg_grant.h"

/* Brings up timer, grants, xenstore and console, and looks for devices of these kinds. */
void front_start(const struct xg_driver *const *drivers, size_t count);
/* Prints a line made of texts, the last of which is 0. */
void say(const char *first, ...);
/* A number as text. Valid until the eighth call after. */
const char *number_text(uint64_t value);
/* One condition of the test; the line says yes or no. */
void say_check(const char *what, bool good);
/* Ends the test with the result on both consoles. */
__attribute__((noreturn)) void front_end(void);

/* Whether the command line has a word, and a number behind a word such as "mib=". */
bool option_given(const char *word);
uint64_t option_number(const char *word, uint64_t otherwise);

/* Polls until the condition holds, or so many nanoseconds have passed. */
bool front_until(bool (*condition)(void), uint64_t nanoseconds);

#endif /* GUEST_FRONT_H */
