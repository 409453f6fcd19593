/* The domain: what the loader told it, the page it shares with the hypervisor, and its end. */
#ifndef DOMAIN_H
#define DOMAIN_H

#include <stdint.h>

#include "xenabi.h"

/* Written by the loader before the start. */
extern struct start_info *start_info;
/* Shared with the hypervisor: event bits, time. Valid after domain_start. */
extern struct shared_info *shared_info;

void domain_start(struct start_info *info);

/* What the hypervisor keeps for this processor. This kernel has one. */
static inline struct vcpu_info *this_vcpu(void)
{
    return &shared_info->vcpu_info[0];
}

/* Ends the domain: SHUTDOWN_poweroff, SHUTDOWN_reboot or SHUTDOWN_crash. */
__attribute__((noreturn)) void domain_end(unsigned int reason);

/* Says why and ends the domain as a crash. */
__attribute__((noreturn, format(printf, 1, 2))) void panic(const char *format, ...);

#endif
