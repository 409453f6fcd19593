/* The domain: its start_info, shared page, clock and end. */
#ifndef GUEST_SYSTEM_H
#define GUEST_SYSTEM_H

#include <stdbool.h>
#include <stdint.h>

#include "arch.h"
#include "xenabi.h"

/* Set before test_main runs. */
extern struct start_info *start_info;
extern struct shared_info *shared_info;

static inline struct vcpu_info *this_vcpu(void)
{
    return &shared_info->vcpu_info[0];
}

/* Where the hypervisor's part of the address space begins. */
uintptr_t hypervisor_start(void);

/* What the hypervisor stores for a code or data descriptor; 0 for one that it refuses. */
uint64_t descriptor_stored(uint64_t descriptor);

/* Ends the domain with a SHUTDOWN number. */
__attribute__((noreturn)) void shut_down(uint32_t reason);

/* System time in nanoseconds, computed from the vcpu's time area. */
uint64_t system_time(void);
/* The same from any copy of the time area. */
uint64_t time_from(const volatile struct vcpu_time_info *area);

/* Any hypercall by number, for numbers that no wrapper has. */
long hypercall(unsigned long number, unsigned long a1, unsigned long a2, unsigned long a3,
               unsigned long a4, unsigned long a5);

static inline uint64_t read_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

static inline void barrier(void)
{
    __asm__ volatile("" ::: "memory");
}

#define MILLISECONDS 1000000ull
#define SECONDS 1000000000ull

#endif /* GUEST_SYSTEM_H */
