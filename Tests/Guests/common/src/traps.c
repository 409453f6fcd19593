/* Registration and dispatch of traps. traps.S has the entries. */
#include "traps.h"

#include "console.h"
#include "events.h"
#include "report.h"
#include "system.h"
#include "user.h"

struct caught caught;

static trap_hook *hook;
static uint64_t seen[32 + 8];
static uint8_t entry_stack[4 * 4096] __attribute__((aligned(16)));

struct fixup {
    uintptr_t from, to;
};
extern const struct fixup fixups_start[], fixups_end[];

void set_trap_hook(trap_hook *function)
{
    hook = function;
}

static unsigned int slot_of(unsigned int kind)
{
    return kind < 32 ? kind : 32 + (kind - ENTRY_GATE) % 8;
}

uint64_t entries_seen(unsigned int kind)
{
    return ((volatile uint64_t *)seen)[slot_of(kind)];
}

static bool apply_fixup(struct trap_frame *frame)
{
    for (const struct fixup *fixup = fixups_start; fixup < fixups_end; fixup++) {
        if (fixup->from != frame->rip)
            continue;
        caught.fault = FAULT(frame->vector, frame->error_code);
        caught.rip = frame->rip;
        if (frame->vector == VECTOR_PF)
            caught.cr2 = this_vcpu()->arch.cr2;
        frame->rip = fixup->to;
        return true;
    }
    return false;
}

static void unexpected(const struct trap_frame *frame)
{
    failure("unexpected %F at rip %p, cs 0x%lx, rflags 0x%lx, rsp %p, cr2 0x%lx",
            FAULT(frame->vector, frame->error_code), (uintptr_t)frame->rip, (uint64_t)frame->cs,
            (uint64_t)frame->rflags, (uintptr_t)frame->rsp, (uint64_t)this_vcpu()->arch.cr2);
    report_and_end();
}

/* Called by the stubs in traps.S. Returning continues at the frame. */
void trap_dispatch(struct trap_frame *frame)
{
    seen[slot_of((unsigned int)frame->vector)]++;

    if (frame->vector == ENTRY_EVENT) {
        events_handle();
        return;
    }
    if (frame_is_user(frame)) {
        user_ended(frame);
        unexpected(frame);
    }
    if (hook && hook(frame))
        return;
    if (!apply_fixup(frame))
        unexpected(frame);
}

void traps_initialise(void)
{
    static struct trap_info table[34];
    unsigned int row = 0;
    for (unsigned int vector = 0; vector < 32; vector++) {
        if (vector == 15)
            continue;
        table[row].vector = (uint8_t)vector;
        table[row].cs = FLAT_KERNEL_CS;
        table[row].address = trap_entries[vector];
        /* A nested event must not change CR2 before the handler has read it. */
        if (vector == VECTOR_PF)
            table[row].flags = XEN_TRAP_MASK_EVENTS;
        /* User mode may use int3 and into. */
        if (vector == VECTOR_BP || vector == VECTOR_OF)
            table[row].flags = 3;
        row++;
    }
#ifdef __i386__
    table[row].vector = 0x80;
    table[row].cs = FLAT_KERNEL_CS;
    table[row].address = (unsigned long)syscall_entry;
    table[row].flags = 3;
#endif
    if (HYPERVISOR_set_trap_table(table) != 0)
        panic("set_trap_table failed");
    callbacks_register(failsafe_entry);
    HYPERVISOR_stack_switch(FLAT_KERNEL_SS, (unsigned long)(entry_stack + sizeof(entry_stack)));
}

const char *fault_name(fault_t fault)
{
    static const char *const names[32] = {
        "#DE", "#DB", "NMI", "#BP", "#OF", "#BR", "#UD", "#NM", "#DF", "#9",  "#TS",
        "#NP", "#SS", "#GP", "#PF", "#15", "#MF", "#AC", "#MC", "#XM", "#20", "#CP",
        "#22", "#23", "#24", "#25", "#26", "#27", "#28", "#29", "#30", "#31"};
    static char buffers[4][16];
    static unsigned int next;

    if (fault == NO_FAULT)
        return "none";
    unsigned int vector = FAULT_VECTOR(fault), code = FAULT_CODE(fault);
    if (vector >= 32) {
        static const char *const entries[] = {"gate", "syscall", "sysenter", "event", "failsafe"};
        return vector - ENTRY_GATE < 5 ? entries[vector - ENTRY_GATE] : "unknown entry";
    }
    char *text = buffers[next++ % 4], *end = text;
    for (const char *name = names[vector]; *name; name++)
        *end++ = *name;
    bool has_code = vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21;
    if (has_code) {
        *end++ = '[';
        for (int shift = 12; shift >= 0; shift -= 4)
            *end++ = "0123456789abcdef"[code >> shift & 15];
        *end++ = ']';
    }
    *end = 0;
    return text;
}

#ifdef __x86_64__
fault_t try_read(const volatile void *address, uint64_t *value)
{
    uint64_t found = 0;
    fault_t fault = TRY("movq (%1), %0", : "+r"(found) : "r"(address) : "memory");
    if (value)
        *value = found;
    return fault;
}

fault_t try_write(volatile void *address, uint64_t value)
{
    return TRY("movq %1, (%0)", : : "r"(address), "r"(value) : "memory");
}
#else
/* In two halves, the lower one first. */
fault_t try_read(const volatile void *address, uint64_t *value)
{
    uint32_t low = 0, high = 0;
    fault_t fault = TRY("movl (%1), %0", : "+r"(low) : "r"(address) : "memory");
    if (fault == NO_FAULT)
        fault = TRY("movl 4(%1), %0", : "+r"(high) : "r"(address) : "memory");
    if (value)
        *value = (uint64_t)high << 32 | low;
    return fault;
}

fault_t try_write(volatile void *address, uint64_t value)
{
    fault_t fault =
        TRY("movl %1, (%0)", : : "r"(address), "r"((uint32_t)value) : "memory");
    if (fault == NO_FAULT)
        fault = TRY("movl %1, 4(%0)", : : "r"(address), "r"((uint32_t)(value >> 32)) : "memory");
    return fault;
}
#endif
