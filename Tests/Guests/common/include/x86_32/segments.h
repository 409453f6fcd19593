/* Descriptors as numbers, a GDT of the guest's own to try them in, and stores through segments. */
#ifndef GUEST_SEGMENTS_H
#define GUEST_SEGMENTS_H

#include "guest.h"

/* Access bytes of what is present, without the privilege level, and bits of the flags above limits. */
#define ACCESS_DATA 0x93u
#define ACCESS_EXPAND_DOWN 0x97u
#define ACCESS_CODE 0x9bu
#define ACCESS_CONFORMING 0x9fu
#define ACCESS_CALL_GATE 0x8cu
#define ACCESS_RING(ring) ((ring) << 5)
#define SEGMENT_LONG 2u
#define SEGMENT_WIDE 4u
#define SEGMENT_PAGES 8u
#define SEGMENT_FLAT (SEGMENT_WIDE | SEGMENT_PAGES)

/* `limit` counts bytes or pages, of which it is the last. */
static inline uint64_t segment(uint32_t base, uint32_t limit, unsigned int access, unsigned int flags)
{
    return (limit & 0xffff) | (uint64_t)(base & 0xffffff) << 16 | (uint64_t)access << 40 |
           (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)flags << 52 | (uint64_t)(base >> 24) << 56;
}

static inline uint64_t gate(uint16_t selector, uint32_t offset, unsigned int access)
{
    return (offset & 0xffff) | (uint64_t)selector << 16 | (uint64_t)access << 40 |
           (uint64_t)(offset >> 16) << 48;
}

/* A GDT of one empty page. */
static inline uint64_t *own_gdt(void)
{
    uint64_t *table = page_alloc();
    page_read_only(table);
    xen_pfn_t frame = mfn_of(table);
    if (HYPERVISOR_set_gdt(&frame, 512))
        panic("set_gdt");
    return table;
}

static inline long descriptor_put(uint64_t *entry, uint64_t descriptor)
{
    return HYPERVISOR_update_descriptor(machine_address(entry), descriptor);
}

/* Stores a word at a linear address through a segment; by what it is stopped. */
static inline fault_t store_through(uint16_t selector, uint32_t base, uint32_t address)
{
    fault_t fault = TRY("movw %w0, %%fs", : : "r"(selector) : "memory");
    if (fault == NO_FAULT)
        fault = TRY("movl %1, %%fs:(%0)", : : "r"(address - base), "r"(0xdeadbeef) : "memory");
    __asm__ volatile("movw %w0, %%fs" : : "r"(0));
    return fault;
}

/* Places in the hypervisor's part, on its borders and at its end. */
#define TOP_PLACES 10
static inline void top_places(uint32_t places[TOP_PLACES])
{
    uint32_t start = hypervisor_start(), end = machine_to_physical_end();
    const uint32_t all[TOP_PLACES] = {start - 2,  start,      start + 4096, end - 4,    end - 2,
                                      end,        end + 4096, 0xfffff000,   0xfffffffc, 0xfffffffe};
    memcpy(places, all, sizeof(all));
}

/* A sum of the M2P table, which changes with what the guest does with its own frames only. */
static inline uint32_t top_sum(void)
{
    uint32_t sum = 0;
    for (const volatile unsigned long *word = machine_to_physical();
         word < (const volatile unsigned long *)machine_to_physical_end(); word += 16)
        sum = sum * 31 + *word;
    return sum;
}

#endif /* GUEST_SEGMENTS_H */
