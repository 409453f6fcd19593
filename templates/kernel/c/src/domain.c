/* The domain: start_info, the shared page, and the end. */
#include "domain.h"

#include "console.h"
#include "pages.h"

struct start_info *start_info;
struct shared_info *shared_info;

/* An address for the shared page. The page that the image has here is given up for it. */
static uint8_t shared_page[4096] __attribute__((aligned(4096)));

void domain_start(struct start_info *info)
{
    start_info = info;
    /* shared_info is a machine address: the only page that the loader does not map for us. */
    long error = HYPERVISOR_update_va_mapping((unsigned long)shared_page,
                                              info->shared_info | PAGE_WRITABLE, UVMF_INVLPG);
    if (error)
        panic("the shared page cannot be mapped: %ld", error);
    shared_info = (struct shared_info *)(void *)shared_page;
}

void domain_end(unsigned int reason)
{
    struct sched_shutdown shutdown = {.reason = reason};
    for (;;)
        HYPERVISOR_sched_op(SCHEDOP_shutdown, &shutdown, 0);
}

void panic(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    print("panic: ");
    print_list(format, arguments);
    print("\n");
    va_end(arguments);
    domain_end(SHUTDOWN_crash);
}
