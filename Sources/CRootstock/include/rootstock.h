/*
 * Rootstock's control interface: what a domain with privilege asks about the others. Xen's own
 * interface for toolstacks changes with each of its releases and is not part of the ABI that guests
 * see; this is a hypercall of Rootstock's own, in the range that the ABI leaves to architectures.
 *
 *   rax 55   rdi operation   rsi argument        answers 0 or an error, negative
 *
 * A domain is ended by SCHEDOP_remote_shutdown. VIRQ_DOM_EXC says that one has ended, and says it
 * again when it is gone.
 */
#ifndef ROOTSTOCK_H
#define ROOTSTOCK_H

#include <stdint.h>

/* __HYPERVISOR_arch_7 */
#define ROOTSTOCK_CONTROL 55

/*
 * The domain with the lowest number that is not below `domain`, which then holds its number: a list
 * is asked for one by one. -ESRCH: there is none. -EPERM: the caller has no privilege.
 */
#define ROOTSTOCK_NEXT_DOMAIN 0x101

/*
 * Lets a domain begin that was built to wait for this (`paused:1` on the command line); `domain` is all
 * that is read. A domain that runs goes on. -ESRCH: there is none, or it has ended.
 */
#define ROOTSTOCK_START_DOMAIN 0x102

/* Values of `state`. */
#define ROOTSTOCK_DOMAIN_RUNS 0
#define ROOTSTOCK_DOMAIN_HAS_ENDED 1

struct rootstock_domain {
    uint16_t domain;        /* in and out */
    uint16_t state;
    uint32_t reason;        /* of its end: SHUTDOWN_poweroff and others; 0 while it runs */
    uint32_t vcpus;
    uint32_t store_port;    /* the domain's ends of the two channels, for domain 0 to bind to; 0: none */
    uint32_t console_port;
    uint32_t zero;
    uint64_t frames;        /* how many frames of memory it may have */
    uint64_t store_frame;   /* machine frames of the two pages; 0: none */
    uint64_t console_frame;
};

#endif
