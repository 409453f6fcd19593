/*
 * What a guest with frontends includes: the runtime, the frontends, and what generated drivers live
 * on. Lines go to the domain's own console as well, which a guest that is not domain 0 needs on a
 * release build of Xen.
 */
#ifndef GUEST_FRONT_H
#define GUEST_FRONT_H

#include "guest.h"

#include "xg_bus.h"
#include "xg_console.h"
#include "xg_grant.h"
#include "xg_life.h"

/* How often the domain was suspended and has gone on, as a new one or because that was called off. */
extern struct suspensions {
    unsigned int resumed, cancelled;
} suspensions;

/* Finds the domain's own console. */
void front_console(void);
/* Brings up console, grants and xenstore, without which the test is over, and looks for devices of
 * these kinds. */
void front_start(const struct xg_driver *const *drivers, size_t count);
/* Ends the test: 0 for success, or a negative error. */
__attribute__((noreturn)) void front_end(int result);

#endif /* GUEST_FRONT_H */
