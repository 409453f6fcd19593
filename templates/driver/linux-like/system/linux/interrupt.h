#ifndef _LINUX_INTERRUPT_H
#define _LINUX_INTERRUPT_H
typedef enum { IRQ_NONE, IRQ_HANDLED, IRQ_WAKE_THREAD } irqreturn_t;
typedef irqreturn_t (*irq_handler_t)(int irq, void *context);
#define IRQF_ONESHOT 0x2000ul
int request_threaded_irq(unsigned int irq, irq_handler_t handler, irq_handler_t thread,
                         unsigned long flags, const char *name, void *context);
const void *free_irq(unsigned int irq, void *context);
#endif
