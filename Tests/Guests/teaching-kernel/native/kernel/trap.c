/* What becomes of traps: an interrupt goes to its driver, an exception ends whoever made it. */
#include "trap.h"

#include "console.h"
#include "cpu.h"
#include "interrupt.h"
#include "layout.h"
#include "process.h"
#include "slate.h"

#define ENTRY_SIZE 16u
#define INTERRUPT_GATE 0x8eu

struct gate {
    uint16_t offset_low, selector;
    uint8_t stack, type;
    uint16_t offset_middle;
    uint32_t offset_high, reserved;
};

static struct gate idt[256];

extern char trap_entries[];

void traps_start(void)
{
    struct table_pointer pointer = {sizeof(idt) - 1, (uint64_t)idt};

    for (unsigned int vector = 0; vector < VECTORS; vector++) {
        uint64_t address = (uint64_t)trap_entries + vector * ENTRY_SIZE;
        idt[vector] = (struct gate){.offset_low = (uint16_t)address,
                                    .selector = KERNEL_CS,
                                    .type = INTERRUPT_GATE,
                                    .offset_middle = (uint16_t)(address >> 16),
                                    .offset_high = (uint32_t)(address >> 32)};
    }
    load_idt(&pointer);
}

struct frame frame_for_program(uint64_t entry, uint64_t stack)
{
    return (struct frame){
        .rip = entry, .cs = USER_CS, .rflags = FLAG_INTERRUPT, .rsp = stack, .ss = USER_SS};
}

/* The kernel's own fault: everything that helps to find it. */
__attribute__((noreturn)) static void report(const struct frame *frame)
{
    struct table_pointer table;

    store_idt(&table);
    print("trap %lu, error code %lx, at %lx\n", frame->vector, frame->error_code, frame->rip);
    print("cr2 %lx cr3 %lx idt %lx cs %lx ss %lx rflags %lx\n", read_cr2(), read_cr3(), table.base,
          frame->cs, frame->ss, frame->rflags);
    print("rax %lx rbx %lx rcx %lx rdx %lx rsi %lx rdi %lx\n", frame->rax, frame->rbx, frame->rcx,
          frame->rdx, frame->rsi, frame->rdi);
    print("rbp %lx rsp %lx r8 %lx r9 %lx r10 %lx r11 %lx\n", frame->rbp, frame->rsp, frame->r8,
          frame->r9, frame->r10, frame->r11);
    panic("a trap in the kernel");
}

/* Called by entry.S with interrupts off; to return is to go on where the frame says. */
void trap_handle(struct frame *frame);
void trap_handle(struct frame *frame)
{
    if (frame->vector >= VECTOR_IRQ) {
        interrupt_handle((unsigned int)frame->vector - VECTOR_IRQ);
    } else if (frame_is_user(frame)) {
        if (frame->vector == VECTOR_PAGE_FAULT)
            print("process %s: page fault at %lx\n", current->name, read_cr2());
        else
            print("process %s: trap %lu\n", current->name, frame->vector);
        process_exit(STATUS_KILLED + (int)frame->vector);
    } else {
        report(frame);
    }
    if (frame_is_user(frame))
        process_preempt();
}
