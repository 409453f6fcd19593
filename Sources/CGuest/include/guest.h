/*
 * The instructions and symbols of a Swift guest that Swift cannot express. Assembly proper is in
 * the .S files; hypercalls are the generated wrappers of xenabi/hypercall-wrappers.h.
 */
#ifndef XG_GUEST_H
#define XG_GUEST_H

#include <stddef.h>
#include <stdint.h>
#include "guest_layout.h"
#include "rootstock.h"

#pragma clang assume_nonnull begin

#define XG_INLINE static inline __attribute__((always_inline))

/* A hypercall of Rootstock's own, which is in no generated wrapper: rootstock.h. */
extern char hypercall_page[4096];
XG_INLINE int64_t guest_control(uint64_t operation, void *argument) {
    int64_t result;
    register void *second __asm__("rsi") = argument;
    __asm__ volatile("call hypercall_page + %c[offset]"
                     : "=a"(result), "+D"(operation), "+r"(second)
                     : [offset] "i"(ROOTSTOCK_CONTROL * 32)
                     : "memory");
    return result;
}

/* Registers at an exception, as Entries.S pushes them: the order of the ABI's cpu_user_regs. */
struct guest_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t vector, error_code;
    uint64_t rip, cs, rflags, rsp, ss;
};

XG_INLINE void guest_out8(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port)); }
XG_INLINE void guest_out16(uint16_t port, uint16_t v) { __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port)); }
XG_INLINE void guest_out32(uint16_t port, uint32_t v) { __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port)); }
XG_INLINE uint8_t guest_in8(uint16_t port) { uint8_t v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
XG_INLINE uint16_t guest_in16(uint16_t port) { uint16_t v; __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port)); return v; }
XG_INLINE uint32_t guest_in32(uint16_t port) { uint32_t v; __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port)); return v; }

/* Device registers: one access each, never cached, never merged. */
XG_INLINE uint8_t guest_load8(uint64_t a) { return *(volatile uint8_t *)a; }
XG_INLINE uint16_t guest_load16(uint64_t a) { return *(volatile uint16_t *)a; }
XG_INLINE uint32_t guest_load32(uint64_t a) { return *(volatile uint32_t *)a; }
XG_INLINE void guest_store8(uint64_t a, uint8_t v) { *(volatile uint8_t *)a = v; }
XG_INLINE void guest_store16(uint64_t a, uint16_t v) { *(volatile uint16_t *)a = v; }
XG_INLINE void guest_store32(uint64_t a, uint32_t v) { *(volatile uint32_t *)a = v; }

/* Words that the hypervisor or a device changes at the same time. */
XG_INLINE uint64_t guest_exchange64(uint64_t *word, uint64_t v) { return __atomic_exchange_n(word, v, __ATOMIC_SEQ_CST); }
XG_INLINE void guest_or64(uint64_t *word, uint64_t v) { __atomic_fetch_or(word, v, __ATOMIC_SEQ_CST); }
XG_INLINE void guest_and64(uint64_t *word, uint64_t v) { __atomic_fetch_and(word, v, __ATOMIC_SEQ_CST); }
XG_INLINE uint64_t guest_load64(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
XG_INLINE uint16_t guest_acquire16(const uint16_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
XG_INLINE void guest_release16(uint16_t *word, uint16_t v) { __atomic_store_n(word, v, __ATOMIC_RELEASE); }
XG_INLINE void guest_exchange8(uint8_t *byte, uint8_t v) { __atomic_exchange_n(byte, v, __ATOMIC_SEQ_CST); }
XG_INLINE void guest_full_barrier(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
XG_INLINE void guest_compiler_barrier(void) { __asm__ volatile("" : : : "memory"); }

XG_INLINE uint64_t guest_rdtsc(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | (uint64_t)high << 32;
}

/* In Entries.S: addresses of the 32 exceptions' entries, then of the failsafe's. */
extern const uint64_t guest_entries[XG_GUEST_FAILSAFE + 1];
XG_INLINE uint64_t guest_entry_address(uint32_t i) { return guest_entries[i]; }
extern const uint8_t guest_event_entry[];
/* A page of our own whose address the hypervisor's shared page is mapped at. */
extern uint8_t guest_shared_page[4096];
/* In the link script. */
extern const uint8_t guest_image_start[], guest_text_end[], guest_image_end[];

#define XG_GUEST_SYMBOL(name) XG_INLINE uint64_t guest_address_##name(void) { return (uint64_t)guest_##name; }
XG_GUEST_SYMBOL(event_entry)
XG_GUEST_SYMBOL(shared_page)
XG_GUEST_SYMBOL(image_start)
XG_GUEST_SYMBOL(text_end)
XG_GUEST_SYMBOL(image_end)

/* In Heap.c: an allocator of pages and of pieces of pages over one run of virtual memory. */
void guest_heap_start(uint64_t first, uint64_t page_count);
/* Whole pages, not cleared; null where there is no run of that length. */
void *_Nullable guest_take_pages(size_t count);
void guest_give_pages(void *pages);
size_t guest_free_page_count(void);

/* The Swift side. */
void guest_main(uint64_t start_info);
void guest_crash(const struct guest_frame *frame);

#pragma clang assume_nonnull end

#endif
