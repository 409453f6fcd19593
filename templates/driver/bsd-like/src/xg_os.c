/*
 * xg_os.h with the BSDs' conventions, in NetBSD's spelling. The driver context is a kernel thread
 * that holds xg_lock, an adaptive mutex. The upcall only schedules a soft interrupt, which may take
 * such a mutex and delivers the event.
 *
 * What starts with xen_ is your port's (system/machine/xenport.h says what is expected of it); the
 * rest is the system's.
 */
#include "xg_os.h"

#include <sys/param.h>
#include <sys/condvar.h>
#include <sys/intr.h>
#include <sys/kmem.h>
#include <sys/kthread.h>
#include <sys/mutex.h>
#include <sys/reboot.h>
#include <sys/systm.h>
#include <sys/time.h>
#include <uvm/uvm_extern.h>
#include <machine/xenport.h>

#include "xg_event.h"
#include "xg_run.h"

#define PORTS 4096u

static kmutex_t xg_lock;
static kcondvar_t xg_condition;
static bool woken;
static void *soft_of_port[PORTS];

/* The driver's thread. */
static void xg_thread(void *unused)
{
    (void)unused;
    mutex_enter(&xg_lock);
    int error = xg_run();
    mutex_exit(&xg_lock);
    aprint_error("xg: the frontends cannot start: %d\n", error);
    kthread_exit(error);
}

/* Called at autoconfiguration, once interrupts can be established. */
int xg_init(void);
int xg_init(void)
{
    /* IPL_SOFTNET, since the soft interrupt below takes it. */
    mutex_init(&xg_lock, MUTEX_DEFAULT, IPL_SOFTNET);
    cv_init(&xg_condition, "xg");
    return kthread_create(PRI_NONE, KTHREAD_MPSAFE, NULL, xg_thread, NULL, NULL, "xg");
}

/* Memory. KM_NOSLEEP, since the lock is that of a soft interrupt, which must not wait for memory. */

void *xg_os_pages(size_t count)
{
    return (void *)uvm_km_alloc(kernel_map, count * PAGE_SIZE, PAGE_SIZE,
                                UVM_KMF_WIRED | UVM_KMF_ZERO | UVM_KMF_NOWAIT);
}

void xg_os_free_pages(void *pages, size_t count)
{
    uvm_km_free(kernel_map, (vaddr_t)pages, count * PAGE_SIZE, UVM_KMF_WIRED);
}

void *xg_os_alloc(size_t size)
{
    return kmem_intr_zalloc(size, KM_NOSLEEP);
}

void xg_os_free(void *memory, size_t size)
{
    if (memory)
        kmem_intr_free(memory, size);
}

uint64_t xg_os_frame(const void *page)
{
    return xen_virt_to_frame(page);
}

void *xg_os_map(const xen_pfn_t *frames, size_t count)
{
    vaddr_t first = uvm_km_alloc(kernel_map, count * PAGE_SIZE, PAGE_SIZE,
                                 UVM_KMF_VAONLY | UVM_KMF_NOWAIT);

    for (size_t i = 0; first && i < count; i++) {
        /* Not pmap_kenter_pa: it takes pseudo-physical addresses, and these frames have none. */
        if (xen_kenter_frame(first + i * PAGE_SIZE, frames[i]))
            return NULL;
    }
    return (void *)first;
}

/* Events. */

static void port_softint(void *context)
{
    mutex_enter(&xg_lock);
    xg_event_deliver((evtchn_port_t)(uintptr_t)context);
    mutex_exit(&xg_lock);
    xg_os_wake();
}

/* In the upcall. */
static void port_upcall(evtchn_port_t port)
{
    softint_schedule(soft_of_port[port]);
}

int xg_os_port_open(evtchn_port_t port)
{
    if (port >= PORTS)
        return -XEN_ENOSPC;
    if (!soft_of_port[port])
        soft_of_port[port] = softint_establish(SOFTINT_NET | SOFTINT_MPSAFE, port_softint,
                                               (void *)(uintptr_t)port);
    if (!soft_of_port[port])
        return -XEN_ENOMEM;
    return xen_port_establish(port, port_upcall);
}

void xg_os_port_close(evtchn_port_t port)
{
    /* The soft interrupt stays for the next port of that number: softint_disestablish would wait
     * for one that is running, and that one waits for the lock. One that comes late is harmless. */
    xen_port_disestablish(port);
}

void xg_os_wait(uint64_t deadline)
{
    uint64_t now = xg_os_time();

    /* The wait lets go of the lock while it sleeps. Whole ticks, and one more, so that it is not
     * zero, which means for ever. */
    if (!woken && deadline > now) {
        uint64_t ticks = (deadline - now) / (1000000000u / (unsigned int)hz) + 1;
        cv_timedwait(&xg_condition, &xg_lock, ticks > 3600u ? 3600 : (int)ticks);
    }
    woken = false;
}

/* Any context, with the lock or without: a wake-up that is missed costs a second at the most. */
void xg_os_wake(void)
{
    woken = true;
    cv_signal(&xg_condition);
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
    cpu_reboot(reason == SHUTDOWN_reboot ? 0 : RB_POWERDOWN, NULL);
}

/* pmf_system_suspend, SCHEDOP_shutdown with SHUTDOWN_suspend, and all of it back: as long as your
 * port has none of that, the toolstack is told so. */
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
    struct timespec now;

    nanouptime(&now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

void xg_os_log(const char *line)
{
    aprint_normal("xg: %s\n", line);
}
