/* Interrupt lines, by way of the two 8259. */
#ifndef INTERRUPT_H
#define INTERRUPT_H

/* Interrupts are off in handlers. */
typedef void interrupt_handler(unsigned int line);

/* Moves the lines to vectors of their own, and masks all of them. */
void interrupts_start(void);
/* Calls the handler at each interrupt of a line from now on. */
void interrupt_register(unsigned int line, interrupt_handler *handler);
/* trap.c calls it. */
void interrupt_handle(unsigned int line);

#endif
