/*
 * Attacks on the hypervisor from inside Linux. Each is a function that makes any number of attempts
 * and says of each how it went; module.c turns that into one line. Names and numbers of the interface
 * come from the kernel's own headers, and where those lack one, from abi/ by hand.
 */
#ifndef ATTACKS_H
#define ATTACKS_H

#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/types.h>
#include <linux/uaccess.h>
#include <asm/asm.h>
#include <asm/xen/hypercall.h>
#include <asm/xen/hypervisor.h>
#include <asm/xen/page.h>
#include <xen/interface/memory.h>
#include <xen/interface/xen.h>

/* What came of an attack's attempts. */
struct outcome {
    unsigned int refused, faulted, vain, granted;
    long error;    /* The first refusal's. */
    u64 which;     /* The first that was granted, */
    long answer;   /* and what it answered. */
};

struct attack {
    const char *name;
    void (*run)(struct outcome *);
};

extern const struct attack table_attacks[], frame_attacks[], pointer_attacks[], domain_attacks[],
    call_attacks[], descriptor_attacks[], register_attacks[], entry_attacks[];

/* An attempt that must answer an error. */
void refusal(struct outcome *, u64 which, long answer);
/* One that must fault. */
void fault(struct outcome *, u64 which, bool faulted);
/* One that may be taken, as long as it changes nothing. */
void vain(struct outcome *, u64 which, bool unchanged);

/* Runs what kills the domain, or the kernel in it; returns only if it did not. */
void run_deadly(const char *name);

/* The domain that this is, by a parameter. */
extern unsigned int self;

/* Addresses that a guest may not name: in the hypervisor's range, not canonical, nowhere. */
#define HYPERVISOR_VIRT_END 0xffff880000000000ul
#define HYPERVISOR_IMAGE 0xffff82d040200000ul
#define HYPERVISOR_HEAP 0xffff830000100000ul
#define NOT_CANONICAL 0x0000800000000000ul
#define NOT_CANONICAL_FAR 0xdeadbeef00000000ul
#define NOWHERE 0x0000123456789000ul
extern const u64 bad_addresses[];
#define BAD_ADDRESSES 8

#define READ_ONLY (_PAGE_PRESENT | _PAGE_USER | _PAGE_ACCESSED)
#define READ_WRITE (READ_ONLY | _PAGE_RW | _PAGE_DIRTY)
#define TABLE READ_WRITE

/* A hypercall by its number. */
#define HYPERCALL(number, a, b, c, d, e)                                                           \
    xen_single_call(number, (unsigned long)(a), (unsigned long)(b), (unsigned long)(c),            \
                    (unsigned long)(d), (unsigned long)(e))

/* Whether an instruction faults; what follows its text are its inputs. */
#define FAULTS(text, ...)                                                                          \
    ({                                                                                             \
        int faulted_ = 1;                                                                          \
        asm volatile("1: " text "\n\tmovl $0, %[faulted]\n2:\n" _ASM_EXTABLE(1b, 2b)               \
                     : [faulted] "+m"(faulted_)                                                    \
                     : __VA_ARGS__                                                                 \
                     : "memory");                                                                  \
        faulted_ != 0;                                                                             \
    })

static inline bool write_faults(u64 address, u64 value)
{
    return FAULTS("movq %[value], (%[address])", [value] "r"(value), [address] "r"(address));
}

static inline bool read_faults(u64 address)
{
    u64 value;
    return copy_from_kernel_nofault(&value, (void *)address, sizeof(value)) != 0;
}

static inline u64 frame_of(const void *address)
{
    return arbitrary_virt_to_machine((void *)address).maddr >> PAGE_SHIFT;
}

static inline u64 entry_make(u64 frame, u64 flags) { return frame << PAGE_SHIFT | flags; }
static inline u64 entry_frame(u64 entry) { return (entry & PTE_PFN_MASK) >> PAGE_SHIFT; }

/* One update of a table, whose low bits are the command. */
static inline long update(u64 pointer, u64 value)
{
    struct mmu_update one = {.ptr = pointer, .val = value};
    return HYPERCALL(__HYPERVISOR_mmu_update, &one, 1, 0, DOMID_SELF, 0);
}

static inline long entry_write(u64 *entry, u64 value)
{
    return update(arbitrary_virt_to_machine(entry).maddr, value);
}

/* An entry that may not be written so; if it is, what was there comes back. */
static inline void entry_refusal(struct outcome *outcome, u64 which, u64 *entry, u64 value)
{
    u64 before = *entry;
    long answer = entry_write(entry, value);
    if (answer >= 0)
        entry_write(entry, before);
    refusal(outcome, which, answer);
}

static inline long extended(unsigned int command, u64 one, u64 two)
{
    struct mmuext_op operation = {.cmd = command, .arg1.linear_addr = one};
    operation.arg2.src_mfn = two;
    return HYPERCALL(__HYPERVISOR_mmuext_op, &operation, 1, 0, DOMID_SELF, 0);
}

/* How the kernel's own mapping of a page is. */
static inline long map_page(void *page, u64 flags)
{
    return HYPERCALL(__HYPERVISOR_update_va_mapping, page, entry_make(frame_of(page), flags),
                     UVMF_INVLPG | UVMF_ALL, 0, 0);
}

/* The tables that this code runs on; level 4 is the top. */
u64 *entry_of(unsigned long address, unsigned int level);
u64 *top_table(void);

/* An empty page, and its return to the kernel, which must be able to write it. */
u64 *page_take(void);
void page_give(u64 *page);

/* A page of the kernel's area for such, and the entry that maps it. */
extern void *area;
extern u64 *leaf;

/* Frames of others: the next from `frame` on, 0 if there is none. */
int frames_begin(void);
void frames_end(void);
u64 frame_of_other(u64 frame);

#endif
