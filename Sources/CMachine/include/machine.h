/*
 * The machine: every instruction that Swift cannot express, one function each, and the
 * structures that assembly and Swift share. Assembly proper is in the .S files.
 */
#ifndef XG_MACHINE_H
#define XG_MACHINE_H

#include <stddef.h>
#include <stdint.h>
#include "layout.h"

#pragma clang assume_nonnull begin

/* A call around one instruction would cost more than the instruction. */
#define XG_INLINE static inline __attribute__((always_inline))

/* A trap's registers, as Entry.S pushes them: the order of the ABI's cpu_user_regs. */
struct xg_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint32_t error_code, vector;
    uint64_t rip, cs, rflags, rsp, ss;
};
_Static_assert(sizeof(struct xg_frame) == XG_FRAME_SIZE, "layout.h XG_FRAME_SIZE");
_Static_assert(offsetof(struct xg_frame, r11) == XG_FRAME_R11, "layout.h XG_FRAME_R11");
_Static_assert(offsetof(struct xg_frame, rcx) == XG_FRAME_RCX, "layout.h XG_FRAME_RCX");
_Static_assert(offsetof(struct xg_frame, cs) == XG_FRAME_CS, "layout.h XG_FRAME_CS");

/* The 64-bit TSS: Intel SDM volume 3, 8.7. */
struct xg_tss {
    uint32_t reserved0;
    uint64_t rsp[3];
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, io_map;
} __attribute__((packed));
_Static_assert(sizeof(struct xg_tss) == 104, "Intel SDM volume 3, 8.7: size");

/* A lock that whoever looks first may take; `starving` is the number from 1 of a CPU that others let go first. */
struct xg_lock {
    uint32_t held, starving;
};

/* What one CPU knows about itself: the first page of its block. */
struct xg_percpu {
    uint64_t index;
    uint64_t syscall_rsp;  /* The guest's stack pointer, from syscall's stub to the frame. */
    uint64_t apic_id;
    uint64_t vcpu;         /* Address of the GuestProcessor that runs here; 0 while none does. */
    uint64_t ticks;        /* Timer interrupts taken. */
    uint64_t work;         /* What is to be done before a guest goes on: bits of Work in Swift. */
    uint64_t deadline;     /* System time for which the timer is set; ~0 for never. */
    uint64_t descriptor_pages; /* Pages of a guest's GDT in this CPU's window. */
    uint64_t slice_end;    /* System time at which the scheduler is asked again; ~0 for never. */
    struct xg_tss tss __attribute__((aligned(16)));
    uint64_t loaded_dr7;   /* DR7 as it is; 0 while no breakpoint is on. */
    uint64_t ldt_pages;    /* Pages in the window on the LDT. */
    uint64_t ldt_entries;  /* Entries of the LDT that is loaded. */
    uint64_t table_owner;  /* Whose page tables are loaded, as in `vcpu`; 0 for the hypervisor's. */
    uint64_t reserved_frames[2]; /* The GDT's reserved page for 64-bit guests, and for 32-bit ones. */
    uint64_t is_compat;    /* 1 while the latter is mapped. */
    uint64_t compat_end;   /* Where the addresses of the 32-bit guest end that runs here; else 0. */
    uint64_t resumable;    /* Who may go on with the translations that this CPU has; 0 for nobody. */
    uint64_t holds_all;    /* This CPU holds the core lock as a whole. */
    uint64_t asks_for_all; /* What it does under its own part wants the whole. */
};
_Static_assert(sizeof(struct xg_percpu) <= XG_BLOCK_CORE_LOCK, "layout.h: the part of the core lock");
_Static_assert(offsetof(struct xg_percpu, syscall_rsp) == XG_PERCPU_SYSCALL_RSP, "layout.h");
_Static_assert(offsetof(struct xg_percpu, tss) == XG_PERCPU_TSS, "layout.h");

/* An interrupt gate: Intel SDM volume 3, 6.14.1. */
struct xg_gate {
    uint64_t low, high;
};

struct xg_table_register {
    uint16_t limit;
    uint64_t base;
} __attribute__((packed));

/* The block is aligned to its size and holds every stack of its CPU, so that the answer is the same
 * all through a function and needs no volatile. */
XG_INLINE struct xg_percpu *xg_this_cpu(void) {
    uint64_t sp;
    __asm__("mov %%rsp, %0" : "=r"(sp));
    return (struct xg_percpu *)(sp & ~(uint64_t)(XG_BLOCK_SIZE - 1));
}

XG_INLINE void xg_out8(uint16_t port, uint8_t v) { __asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port)); }
XG_INLINE void xg_out16(uint16_t port, uint16_t v) { __asm__ volatile("outw %0, %1" : : "a"(v), "Nd"(port)); }
XG_INLINE void xg_out32(uint16_t port, uint32_t v) { __asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port)); }
XG_INLINE uint8_t xg_in8(uint16_t port) { uint8_t v; __asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port)); return v; }
XG_INLINE uint16_t xg_in16(uint16_t port) { uint16_t v; __asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port)); return v; }
XG_INLINE uint32_t xg_in32(uint16_t port) { uint32_t v; __asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port)); return v; }

XG_INLINE uint64_t xg_rdmsr(uint32_t n) {
    uint32_t low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(n));
    return low | (uint64_t)high << 32;
}
XG_INLINE void xg_wrmsr(uint32_t n, uint64_t v) {
    __asm__ volatile("wrmsr" : : "c"(n), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}

#define XG_CONTROL_REGISTER(n) \
    XG_INLINE uint64_t xg_read_cr##n(void) { uint64_t v; __asm__ volatile("mov %%cr" #n ", %0" : "=r"(v)); return v; } \
    XG_INLINE void xg_write_cr##n(uint64_t v) { __asm__ volatile("mov %0, %%cr" #n : : "r"(v) : "memory"); }
XG_CONTROL_REGISTER(0)
XG_CONTROL_REGISTER(2)
XG_CONTROL_REGISTER(3)
XG_CONTROL_REGISTER(4)

#define XG_DEBUG_REGISTER(n) \
    XG_INLINE uint64_t xg_read_dr##n(void) { uint64_t v; __asm__ volatile("mov %%dr" #n ", %0" : "=r"(v)); return v; } \
    XG_INLINE void xg_write_dr##n(uint64_t v) { __asm__ volatile("mov %0, %%dr" #n : : "r"(v)); }
XG_DEBUG_REGISTER(0)
XG_DEBUG_REGISTER(1)
XG_DEBUG_REGISTER(2)
XG_DEBUG_REGISTER(3)
XG_DEBUG_REGISTER(6)
XG_DEBUG_REGISTER(7)

struct xg_cpuid { uint32_t eax, ebx, ecx, edx; };
XG_INLINE struct xg_cpuid xg_cpuid_of(uint32_t leaf, uint32_t subleaf) {
    struct xg_cpuid r;
    __asm__ volatile("cpuid" : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx) : "a"(leaf), "c"(subleaf));
    return r;
}

XG_INLINE void xg_invlpg(uint64_t address) { __asm__ volatile("invlpg (%0)" : : "r"(address) : "memory"); }
XG_INLINE void xg_wbinvd(void) { __asm__ volatile("wbinvd" : : : "memory"); }
XG_INLINE void xg_clts(void) { __asm__ volatile("clts"); }
XG_INLINE void xg_swapgs(void) { __asm__ volatile("swapgs" : : : "memory"); }
XG_INLINE void xg_pause(void) { __asm__ volatile("pause"); }
XG_INLINE void xg_halt(void) { __asm__ volatile("hlt" : : : "memory"); }
XG_INLINE void xg_cli(void) { __asm__ volatile("cli" : : : "memory"); }
XG_INLINE void xg_sti(void) { __asm__ volatile("sti" : : : "memory"); }
/* Interrupts are recognised after hlt at the earliest, so none is lost in between. */
/* Lets an interrupt in that has been waiting. */
XG_INLINE void xg_sti_cli(void) { __asm__ volatile("sti; nop; cli" : : : "memory"); }
XG_INLINE void xg_sti_halt_cli(void) { __asm__ volatile("sti; hlt; cli" : : : "memory"); }
XG_INLINE uint64_t xg_rdtsc(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return low | (uint64_t)high << 32;
}

XG_INLINE void xg_lgdt(uint64_t base, uint16_t limit) {
    struct xg_table_register r = {limit, base};
    __asm__ volatile("lgdt %0" : : "m"(r));
}
XG_INLINE void xg_lidt(uint64_t base, uint16_t limit) {
    struct xg_table_register r = {limit, base};
    __asm__ volatile("lidt %0" : : "m"(r));
}
XG_INLINE void xg_ltr(uint16_t selector) { __asm__ volatile("ltr %0" : : "r"(selector)); }
/* The access rights of a selector's descriptor, as lar has them; 0 where there are none. */
XG_INLINE uint32_t xg_access_rights(uint32_t selector) {
    uint32_t rights = 0;
    __asm__ volatile("larl %1, %0" : "+r"(rights) : "r"(selector) : "cc");
    return rights;
}
XG_INLINE void xg_lldt(uint16_t selector) { __asm__ volatile("lldt %0" : : "r"(selector)); }
/* After lgdt: the code segment by a far return, the stack segment, null for data. */
XG_INLINE void xg_load_segments(void) {
    __asm__ volatile("pushq %0\n\tleaq 1f(%%rip), %%rax\n\tpushq %%rax\n\tlretq\n1:\n\t"
                     "movl %1, %%eax\n\tmovl %%eax, %%ss\n\t"
                     "xorl %%eax, %%eax\n\tmovl %%eax, %%ds\n\tmovl %%eax, %%es"
                     : : "i"(XG_CS), "i"(XG_SS) : "rax", "memory");
}
#define XG_SEGMENT(name) \
    XG_INLINE uint16_t xg_read_##name(void) { uint16_t v; __asm__ volatile("mov %%" #name ", %0" : "=r"(v)); return v; } \
    XG_INLINE void xg_write_##name(uint16_t v) { __asm__ volatile("mov %0, %%" #name : : "r"(v)); }
XG_SEGMENT(ds)
XG_SEGMENT(es)
XG_SEGMENT(fs)
XG_SEGMENT(gs)

XG_INLINE void xg_fxsave(void *area) { __asm__ volatile("fxsave64 (%0)" : : "r"(area) : "memory"); }
XG_INLINE void xg_fxrstor(const void *area) { __asm__ volatile("fxrstor64 (%0)" : : "r"(area) : "memory"); }
XG_INLINE void xg_xsave(void *area, uint64_t mask) {
    __asm__ volatile("xsave64 (%0)" : : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)) : "memory");
}
XG_INLINE void xg_xrstor(const void *area, uint64_t mask) {
    __asm__ volatile("xrstor64 (%0)" : : "r"(area), "a"((uint32_t)mask), "d"((uint32_t)(mask >> 32)) : "memory");
}
XG_INLINE void xg_xsetbv(uint32_t n, uint64_t v) {
    __asm__ volatile("xsetbv" : : "c"(n), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)) : "memory");
}
XG_INLINE uint64_t xg_xgetbv(uint32_t n) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(n));
    return low | (uint64_t)high << 32;
}
XG_INLINE void xg_fninit(void) { __asm__ volatile("fninit"); }

/* Device registers, and memory that an interrupt changes: one access each, never cached. */
XG_INLINE uint32_t xg_load32(uint64_t address) { return *(volatile uint32_t *)address; }
XG_INLINE void xg_store32(uint64_t address, uint32_t v) { *(volatile uint32_t *)address = v; }
XG_INLINE uint64_t xg_work(struct xg_percpu *cpu) { return *(volatile uint64_t *)&cpu->work; }
XG_INLINE uint64_t xg_ticks(struct xg_percpu *cpu) { return *(volatile uint64_t *)&cpu->ticks; }

XG_INLINE void xg_clear_page(void *page) {
    uint64_t count = 512;
    __asm__ volatile("rep stosq" : "+D"(page), "+c"(count) : "a"(0) : "memory");
}
/* Words that other CPUs change at the same time. */
XG_INLINE uint64_t xg_load_acquire(const uint64_t *word) { return __atomic_load_n(word, __ATOMIC_ACQUIRE); }
XG_INLINE void xg_store_release(uint64_t *word, uint64_t v) { __atomic_store_n(word, v, __ATOMIC_RELEASE); }
XG_INLINE uint64_t xg_fetch_or(uint64_t *word, uint64_t v) { return __atomic_fetch_or(word, v, __ATOMIC_SEQ_CST); }
XG_INLINE uint64_t xg_fetch_and(uint64_t *word, uint64_t v) { return __atomic_fetch_and(word, v, __ATOMIC_SEQ_CST); }

/* A bit below 64 of a word; whether it was set. */
#define XG_CHANGE_BIT(name, instruction) \
    XG_INLINE _Bool xg_##name##_bit(uint64_t *word, uint64_t bit) { \
        _Bool was; \
        __asm__ volatile("lock " instruction " %2, %1" : "=@ccc"(was), "+m"(*word) : "r"(bit & 63) : "memory"); \
        return was; \
    }
XG_CHANGE_BIT(set, "btsq")
XG_CHANGE_BIT(clear, "btrq")

XG_INLINE uint32_t xg_lock_starving(const struct xg_lock *lock) { return __atomic_load_n(&lock->starving, __ATOMIC_RELAXED); }
XG_INLINE void xg_lock_starve(struct xg_lock *lock, uint32_t cpu) { __atomic_store_n(&lock->starving, cpu, __ATOMIC_RELAXED); }
XG_INLINE _Bool xg_lock_is_held(const struct xg_lock *lock) { return __atomic_load_n(&lock->held, __ATOMIC_RELAXED) != 0; }
XG_INLINE _Bool xg_lock_try(struct xg_lock *lock) { return __atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE) == 0; }
XG_INLINE void xg_lock_release(struct xg_lock *lock) { __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE); }

/* In Shared.c. */
#define XG_LOCKS 3
extern struct xg_lock xg_locks[XG_LOCKS];
XG_INLINE struct xg_lock *xg_lock_at(uint32_t index) { return &xg_locks[index]; }

/* A CPU's part of the core lock, in a cache line of its own, as others take it rarely. */
XG_INLINE struct xg_lock *xg_core_lock(struct xg_percpu *cpu) {
    return (struct xg_lock *)((uint64_t)cpu + XG_BLOCK_CORE_LOCK);
}

/* What CPUs are asked to drop from their TLBs; `pending` has a bit for each that has not done it. */
struct xg_shootdown {
    uint64_t pending, address, kind;
};
extern struct xg_shootdown xg_shootdown;
XG_INLINE struct xg_shootdown *xg_shootdown_words(void) { return &xg_shootdown; }

XG_INLINE uint64_t xg_compare_exchange(uint64_t *word, uint64_t expected, uint64_t desired) {
    return __sync_val_compare_and_swap(word, expected, desired);
}

/* A store that no other is moved across, neither by the compiler nor by the processor. */
XG_INLINE void xg_store_ordered(uint32_t *word, uint32_t value) {
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

/* In Entry.S. */
extern const uint8_t xg_vector_stubs[];  /* 256 stubs of 16 bytes. */
extern const uint8_t xg_syscall_entry[], xg_syscall32_entry[], xg_sysenter_entry[];
/* Copies within the address space in force; not 0 where a fault stopped it. Addresses are numbers,
 * because a guest may well have something at address 0. */
uint64_t xg_guarded_copy(uint64_t to, uint64_t from, uint64_t count);
/* The same for one word that is not misled into a call's registers: Entry.S says what they change. */
struct xg_loaded { uint64_t value, failed; };
#define XG_GUARDED_LOAD(size) \
    XG_INLINE struct xg_loaded xg_guarded_load_##size(uint64_t from) { \
        struct xg_loaded r; \
        __asm__ volatile("call xg_guarded_load" #size : "=a"(r.failed), "=d"(r.value) : "D"(from) : "memory", "cc"); \
        return r; \
    }
XG_GUARDED_LOAD(32)
XG_GUARDED_LOAD(64)
/* Writes an exception frame below `top` with these values of cs and rflags, and makes `frame` the
 * handler's; result as above, and then `frame` is as it was. */
#define XG_PUSH_FRAME(name, code) \
    XG_INLINE uint64_t xg_##name(uint64_t top, struct xg_frame *frame, uint64_t handler, uint64_t cs, uint64_t rflags, uint64_t error) { \
        uint64_t failed; \
        register uint64_t r8 __asm__("r8") = error; \
        register uint64_t r10 __asm__("r10") = handler; \
        __asm__ volatile("call xg_push_exception" code : "=a"(failed) \
                         : "D"(top), "S"(frame), "d"(cs), "c"(rflags), "r"(r8), "r"(r10) : "r9", "memory", "cc"); \
        return failed; \
    }
XG_PUSH_FRAME(push_frame, "")
XG_PUSH_FRAME(push_frame_with_code, "_with_code")
/* Loads an iret_context: what needs no look goes into the frame, the rest is answered. */
struct xg_context { uint64_t rflags, cs, ss, flags, failed; };
XG_INLINE struct xg_context xg_pull_frame(struct xg_frame *frame, uint64_t stack) {
    struct xg_context r;
    register uint64_t ss __asm__("r8");
    register uint64_t flags __asm__("r9");
    __asm__ volatile("call xg_pull_context"
                     : "=a"(r.failed), "=d"(r.rflags), "=c"(r.cs), "=r"(ss), "=r"(flags)
                     : "D"(frame), "S"(stack) : "memory", "cc");
    r.ss = ss;
    r.flags = flags;
    return r;
}
extern const uint8_t xg_guarded_start[], xg_guarded_end[], xg_guarded_fixup[];
/* Loads the GS selector of the mode that does not run; null if the processor refuses it. */
void xg_load_user_gs(uint32_t selector);
/* Loads a data segment register; null, with the answer 1, if the processor refuses the selector. */
uint32_t xg_load_ds(uint32_t selector);
uint32_t xg_load_es(uint32_t selector);
uint32_t xg_load_fs(uint32_t selector);
uint32_t xg_load_kernel_gs(uint32_t selector);
/* Leaves the boot stack for the main stack of this CPU's block and enters the frame there. */
_Noreturn void xg_enter_guest(struct xg_percpu *cpu);
_Noreturn void xg_call_on_stack(uint64_t top, void (*function)(void));
void rootstock_run(void);
void rootstock_abandoned(void);
_Noreturn void rootstock_start_processor(uint64_t index);
XG_INLINE uint64_t xg_address_start_processor(void) { uint64_t v; __asm__("lea rootstock_start_processor(%%rip), %0" : "=r"(v)); return v; }
void rootstock_refused(void);

/* In link.ld: the image's parts, for their page permissions. */
extern const uint8_t xg_text_start[], xg_text_end[], xg_rodata_end[], xg_image_end[];
/* In Boot.S. */
extern uint64_t xg_boot_l4[512], xg_boot_l3_hole[512], xg_boot_l3_direct[512], xg_boot_l1_image[512];
extern const uint8_t xg_boot_start[], xg_boot_end[];
/* In Trampoline.S. */
extern const uint8_t xg_trampoline_start[], xg_trampoline_end[];

/* The symbols above as numbers: Swift must not see an array's type where only an address counts. */
#define XG_SYMBOL(name) XG_INLINE uint64_t xg_address_##name(void) { uint64_t v; __asm__("lea xg_" #name "(%%rip), %0" : "=r"(v)); return v; }
#define XG_LOW_SYMBOL(name) XG_INLINE uint64_t xg_address_##name(void) { uint64_t v; __asm__("movabs $xg_" #name ", %0" : "=r"(v)); return v; }
XG_SYMBOL(vector_stubs)
XG_SYMBOL(syscall_entry)
XG_SYMBOL(syscall32_entry)
XG_SYMBOL(sysenter_entry)
XG_SYMBOL(guest_iret)
XG_SYMBOL(guest_short_iret)
XG_SYMBOL(segment_loads_start)
XG_SYMBOL(segment_loads_end)
XG_SYMBOL(trampoline_start)
XG_SYMBOL(trampoline_end)
XG_SYMBOL(guarded_start)
XG_SYMBOL(guarded_end)
XG_SYMBOL(guarded_fixup)
XG_SYMBOL(text_start)
XG_SYMBOL(text_end)
XG_SYMBOL(rodata_end)
XG_SYMBOL(image_end)
XG_LOW_SYMBOL(boot_l4)
XG_LOW_SYMBOL(boot_l3_hole)
XG_LOW_SYMBOL(boot_l3_direct)
XG_LOW_SYMBOL(boot_l1_image)
XG_LOW_SYMBOL(boot_start)
XG_LOW_SYMBOL(boot_end)

#pragma clang assume_nonnull end

#endif
