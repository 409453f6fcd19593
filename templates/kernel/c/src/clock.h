/* Time. */
#ifndef CLOCK_H
#define CLOCK_H

#include <stdint.h>

#define MILLISECOND 1000000ul
#define SECOND 1000000000ul

/* Binds the timer; `tick` is called when it has expired, with events masked. */
void clock_start(void (*tick)(void));
/* Nanoseconds since the machine started. */
uint64_t clock_now(void);
/* Lets the timer expire once, at that time. It may come some microseconds early. */
void clock_set(uint64_t deadline);

#endif
