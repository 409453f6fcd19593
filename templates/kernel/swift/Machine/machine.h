/* What Swift has no words for: accesses to memory that others change, and symbols of the assembly. */
#ifndef MACHINE_H
#define MACHINE_H

#include <stdint.h>

#include "xenabi.h"

/* What traps.S leaves on the stack, from the top down. */
struct trap_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
    uint64_t vector, error_code; /* Error code 0 where the exception has none. */
    uint64_t rip;
    uint64_t cs; /* Bits 32-39: the mask of events that the interrupted code had. */
    uint64_t rflags, rsp, ss;
};

static inline uint8_t load8(const uint8_t *_Nonnull at) { return __atomic_load_n(at, __ATOMIC_SEQ_CST); }
static inline uint32_t load32(const uint32_t *_Nonnull at) { return __atomic_load_n(at, __ATOMIC_SEQ_CST); }
static inline uint64_t load64(uint64_t at) { return *(const volatile uint64_t *)at; }
static inline void store8(uint8_t *_Nonnull at, uint8_t value) { __atomic_store_n(at, value, __ATOMIC_SEQ_CST); }
static inline void store32(uint32_t *_Nonnull at, uint32_t value) { __atomic_store_n(at, value, __ATOMIC_SEQ_CST); }
static inline void store64(uint64_t at, uint64_t value) { *(volatile uint64_t *)at = value; }
static inline uint64_t exchange64(uint64_t *_Nonnull at, uint64_t value) { return __atomic_exchange_n(at, value, __ATOMIC_SEQ_CST); }
static inline void and64(uint64_t *_Nonnull at, uint64_t value) { __atomic_fetch_and(at, value, __ATOMIC_SEQ_CST); }
static inline void or64(uint64_t *_Nonnull at, uint64_t value) { __atomic_fetch_or(at, value, __ATOMIC_SEQ_CST); }
static inline void barrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }

static inline uint64_t read_tsc(void)
{
    uint32_t low, high;
    __asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

/* Places inside structures that are arrays, which Swift would import as tuples. */
static inline uint64_t *_Nonnull pending_word(struct shared_info *_Nonnull shared, int word) { return &shared->evtchn_pending[word]; }
static inline uint64_t *_Nonnull mask_word(struct shared_info *_Nonnull shared, int word) { return &shared->evtchn_mask[word]; }
static inline uint64_t *_Nonnull selector_word(struct vcpu_info *_Nonnull vcpu) { return &vcpu->evtchn_pending_sel; }
static inline void ring_put(struct xencons_interface *_Nonnull ring, uint32_t index, uint8_t byte)
{
    *(volatile char *)&ring->out[index & (sizeof(ring->out) - 1)] = (char)byte;
}

/* The argument holds a pointer to the port. */
static inline void poll_port(evtchn_port_t port, uint64_t deadline)
{
    struct sched_poll poll = {.ports = &port, .nr_ports = 1, .timeout = deadline};
    HYPERVISOR_sched_op(SCHEDOP_poll, &poll, 0);
}

extern const char exception_entries[], event_entry[], failsafe_entry[], shared_page[];

/* traps.S has an entry every 16 bytes. */
static inline uint64_t exception_entry(uint64_t vector) { return (uint64_t)exception_entries + vector * 16; }
static inline uint64_t event_entry_address(void) { return (uint64_t)event_entry; }
static inline uint64_t failsafe_entry_address(void) { return (uint64_t)failsafe_entry; }
static inline uint64_t shared_page_address(void) { return (uint64_t)shared_page; }

#endif
