/*
 * xg_os.h with Linux's conventions. The driver context is a kernel thread that holds xg_lock, a
 * mutex; events arrive in the threads of threaded interrupts, which take it as well. So everything
 * may sleep in allocations, and nothing runs with interrupts off.
 *
 * What starts with xen_ is your port's (system/xen/port.h says what is expected of it); the rest
 * is the system's.
 */
#include "xg_os.h"

#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/printk.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/wait.h>
#include <xen/port.h>

#include "xg_event.h"
#include "xg_run.h"

#define PORTS 4096u

static DEFINE_MUTEX(xg_lock);
static DECLARE_WAIT_QUEUE_HEAD(xg_queue);
static bool woken;
static int irq_of_port[PORTS];
static bool port_closing[PORTS];

/* The driver's thread. */
static int xg_thread(void *unused)
{
    (void)unused;
    mutex_lock(&xg_lock);
    int error = xg_run();
    mutex_unlock(&xg_lock);
    pr_err("xg: the frontends cannot start: %d\n", error);
    return error;
}

/* An initcall, once memory, interrupts and the scheduler are there. */
int xg_init(void);
int xg_init(void)
{
    return kthread_run(xg_thread, NULL, "xg") ? 0 : -XEN_ENOMEM;
}

/* Memory. */

void *xg_os_pages(size_t count)
{
    return alloc_pages_exact(count * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
}

void xg_os_free_pages(void *pages, size_t count)
{
    free_pages_exact(pages, count * PAGE_SIZE);
}

void *xg_os_alloc(size_t size)
{
    return kzalloc(size, GFP_KERNEL);
}

void xg_os_free(void *memory, size_t size)
{
    (void)size;
    kfree(memory);
}

uint64_t xg_os_frame(const void *page)
{
    return xen_virt_to_frame(page);
}

/* Sets one entry of a fresh kernel mapping: machine frames, so it is the hypervisor that writes. */
static int map_one(pte_t *entry, unsigned long address, void *context)
{
    const xen_pfn_t **frame = context;

    (void)entry;
    return (int)HYPERVISOR_update_va_mapping(address, *(*frame)++ * PAGE_SIZE | XEN_PAGE_KERNEL_RW,
                                             UVMF_INVLPG);
}

void *xg_os_map(const xen_pfn_t *frames, size_t count)
{
    struct vm_struct *area = get_vm_area(count * PAGE_SIZE, VM_IOREMAP);

    if (!area)
        return NULL;
    /* Makes the tables above, which update_va_mapping does not. */
    if (apply_to_page_range(&init_mm, (unsigned long)area->addr, count * PAGE_SIZE, map_one,
                            &frames)) {
        free_vm_area(area);
        return NULL;
    }
    return area->addr;
}

/* Events. */

static irqreturn_t port_thread(int irq, void *context)
{
    evtchn_port_t port = (evtchn_port_t)(uintptr_t)context;

    (void)irq;
    /* Whoever closes the port holds the lock and waits in free_irq for this thread to end. */
    while (!mutex_trylock(&xg_lock)) {
        if (READ_ONCE(port_closing[port]))
            return IRQ_HANDLED;
        usleep_range(50, 100);
    }
    xg_event_deliver(port);
    mutex_unlock(&xg_lock);
    /* What the driver's thread waits for may be done. */
    xg_os_wake();
    return IRQ_HANDLED;
}

int xg_os_port_open(evtchn_port_t port)
{
    if (port >= PORTS)
        return -XEN_ENOSPC;
    int irq = xen_port_to_irq(port);
    if (irq < 0)
        return irq;
    /* No handler in interrupt context; masked until the thread is through. */
    int error = request_threaded_irq((unsigned int)irq, NULL, port_thread, IRQF_ONESHOT, "xg",
                                     (void *)(uintptr_t)port);
    if (!error)
        irq_of_port[port] = irq;
    return error;
}

void xg_os_port_close(evtchn_port_t port)
{
    WRITE_ONCE(port_closing[port], true);
    free_irq((unsigned int)irq_of_port[port], (void *)(uintptr_t)port);
    WRITE_ONCE(port_closing[port], false);
    xen_port_forget(port);
}

void xg_os_wait(uint64_t deadline)
{
    uint64_t now = xg_os_time();

    mutex_unlock(&xg_lock);
    if (deadline > now)
        wait_event_timeout(xg_queue, READ_ONCE(woken), nsecs_to_jiffies(deadline - now) + 1);
    mutex_lock(&xg_lock);
    WRITE_ONCE(woken, false);
}

void xg_os_wake(void)
{
    WRITE_ONCE(woken, true);
    wake_up(&xg_queue);
}

/* The hypervisor. */

long xg_os_event_op(unsigned int command, void *argument)
{
    return HYPERVISOR_event_channel_op((int32_t)command, argument);
}

long xg_os_grant_op(unsigned int command, void *argument, unsigned int count)
{
    return HYPERVISOR_grant_table_op(command, argument, count);
}

long xg_os_memory_op(unsigned int command, void *argument)
{
    return HYPERVISOR_memory_op(command, argument);
}

/* The domain. */

void xg_os_start(struct xg_start *start)
{
    const struct start_info *info = xen_start_info;

    *start = (struct xg_start){.store_frame = info->store_mfn, .store_port = info->store_evtchn};
    if (info->flags & SIF_INITDOMAIN)
        return; /* Domain 0 has the hypervisor's console and no other. */
    start->console_frame = info->console.domU.mfn;
    start->console_port = info->console.domU.evtchn;
}

void xg_os_shutdown(unsigned int reason)
{
    /* orderly_poweroff() and orderly_reboot() let user space sync first, and come back. */
    if (reason == SHUTDOWN_reboot)
        orderly_reboot();
    else
        orderly_poweroff(true);
}

/* Freeze, stop the other processors, syscore_suspend, SCHEDOP_shutdown with SHUTDOWN_suspend, and
 * all of it back: as long as your port has none of that, the toolstack is told so. */
int xg_os_suspend(void)
{
    return -XEN_ENOSYS;
}

/* For the balloon, which no other part calls. */
uint64_t xg_os_page_out(void *page)
{
    return xen_page_out(page);
}

int xg_os_page_in(void *page, uint64_t frame)
{
    return xen_page_in(page, frame);
}

/* The rest. */

uint64_t xg_os_time(void)
{
    return ktime_get_ns();
}

void xg_os_log(const char *line)
{
    pr_info("xg: %s\n", line);
}
