/*
 * What the parts of linux-bench share.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdint.h>

/* Ends with a message where `is_good` is not so, and errno's reason. */
void check(int is_good, const char *what);

uint64_t read_tsc(void);

/*
 * Runs `operation` `count` times for each sample, after a first sample that is dropped, and answers the
 * median of the samples, for each operation. `reset` runs between samples, unmeasured; it may be 0.
 * The clock's ticks reach a few samples of short operations, and so not the median.
 */
uint64_t median(unsigned int count, void (*operation)(void), void (*reset)(void));

void report(const char *name, uint64_t instructions);

void measure_calls(void);
void measure_signals(void);
void measure_files(void);
void measure_memory(void);
void measure_processes(void);
void measure_switches(void);

#endif
