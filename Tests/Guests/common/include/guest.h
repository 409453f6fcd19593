/*
 * What a conformance guest includes: all of the runtime. A guest defines test_main and tells what
 * it sees with the functions of report.h; start.c prints the result and powers off.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "xenabi.h"

#include "attack.h"
#include "console.h"
#include "events.h"
#include "grants.h"
#include "memory.h"
#include "report.h"
#include "second.h"
#include "system.h"
#include "text.h"
#include "traps.h"
#include "user.h"

/* The guest's own part. Returning ends the test with what was reported. */
void test_main(void);

#endif /* GUEST_H */
