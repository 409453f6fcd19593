/* From guest_entry (start.S) to test_main, and the domain's clock and end. */
#include "guest.h"

struct start_info *start_info;
struct shared_info *shared_info;

static uint8_t shared_page[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

/* Called by start.S on the runtime's own stack. */
__attribute__((noreturn)) void guest_start(struct start_info *info)
{
    start_info = info;
    /* The page of the image is given up for the hypervisor's. */
    long result = HYPERVISOR_update_va_mapping((unsigned long)shared_page,
                                               info->shared_info | PTE_READ_WRITE, UVMF_INVLPG);
    if (result)
        panic("the shared information page cannot be mapped: %E", result);
    shared_info = (struct shared_info *)shared_page;
    events_initialise();
    traps_initialise();
    test_main();
    report_and_end();
}

void shut_down(uint32_t reason)
{
    struct sched_shutdown shutdown = {.reason = reason};
    for (;;)
        HYPERVISOR_sched_op(SCHEDOP_shutdown, &shutdown, 0);
}

uintptr_t hypervisor_start(void)
{
    struct xen_platform_parameters parameters;
    if (HYPERVISOR_xen_version(XENVER_platform_parameters, &parameters))
        panic("the hypervisor does not tell where its addresses begin");
    return parameters.virt_start;
}

uint64_t time_from(const volatile struct vcpu_time_info *area)
{
    uint32_t version;
    uint64_t now;
    do {
        version = area->version;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        uint64_t ticks = read_tsc() - area->tsc_timestamp;
        ticks = area->tsc_shift < 0 ? ticks >> -area->tsc_shift : ticks << area->tsc_shift;
        /* 64 by 32 bits in two halves, for compilers that have no wider product. */
        now = area->system_time + (ticks >> 32) * area->tsc_to_system_mul +
              ((ticks & 0xffffffff) * area->tsc_to_system_mul >> 32);
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    } while ((version & 1) || version != area->version);
    return now;
}

uint64_t system_time(void)
{
    return time_from(&this_vcpu()->time);
}
