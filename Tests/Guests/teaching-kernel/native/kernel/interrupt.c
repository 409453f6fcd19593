/* The interrupt controllers: two 8259, the second behind line 2 of the first. */
#include "interrupt.h"

#include <stddef.h>
#include <stdint.h>

#include "console.h"
#include "cpu.h"
#include "layout.h"

#define LINES 16u
#define CASCADE 2u

/* Ports of both, command and data. */
#define FIRST 0x20u
#define SECOND 0xa0u
#define DATA 1u

#define INITIALISE 0x11u /* edge-triggered, two of them, a fourth word follows */
#define MODE_8086 0x01u
#define END_OF_INTERRUPT 0x20u
#define READ_IN_SERVICE 0x0bu

static interrupt_handler *handlers[LINES];
static uint16_t masked = 0xffff;

static void write_mask(void)
{
    out8(FIRST + DATA, (uint8_t)masked);
    out8(SECOND + DATA, (uint8_t)(masked >> 8));
}

void interrupts_start(void)
{
    out8(FIRST, INITIALISE);
    out8(SECOND, INITIALISE);
    out8(FIRST + DATA, VECTOR_IRQ);
    out8(SECOND + DATA, VECTOR_IRQ + 8);
    out8(FIRST + DATA, 1 << CASCADE);
    out8(SECOND + DATA, CASCADE);
    out8(FIRST + DATA, MODE_8086);
    out8(SECOND + DATA, MODE_8086);
    masked &= (uint16_t)~(1u << CASCADE);
    write_mask();
}

void interrupt_register(unsigned int line, interrupt_handler *handler)
{
    if (line >= LINES || handlers[line])
        panic("interrupt line %u cannot be used", line);
    handlers[line] = handler;
    masked &= (uint16_t)~(1u << line);
    write_mask();
}

/* The last line of each controller also stands for an interrupt that went away again. */
static int is_spurious(unsigned int line)
{
    uint16_t port = line < 8 ? FIRST : SECOND;

    if (line % 8 != 7)
        return 0;
    out8(port, READ_IN_SERVICE);
    return !(in8(port) & 0x80);
}

void interrupt_handle(unsigned int line)
{
    if (is_spurious(line)) {
        if (line >= 8)
            out8(FIRST, END_OF_INTERRUPT);
        return;
    }
    if (handlers[line])
        handlers[line](line);
    if (line >= 8)
        out8(SECOND, END_OF_INTERRUPT);
    out8(FIRST, END_OF_INTERRUPT);
}
