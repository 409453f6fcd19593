/* Time. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#define MILLISECOND 1000000ul
#define TICKS_PER_SECOND 100u

/* Measures the time stamp counter, and starts the tick, which calls process_tick. */
void clock_start(void);
/* Nanoseconds since clock_start. */
uint64_t clock_now(void);

#endif
