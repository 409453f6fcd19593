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
 * Lets a domain run that waits for this: it was built to wait (`paused:1` on the command line, or
 * ROOTSTOCK_BUILD_DOMAIN), or paused. `domain` is all that is read. A domain that runs goes on. -ESRCH:
 * there is none, or it has ended; -EINVAL: it is suspended.
 */
#define ROOTSTOCK_START_DOMAIN 0x102

/*
 * Builds a domain out of boot modules; it waits for ROOTSTOCK_START_DOMAIN. The argument is a struct
 * rootstock_build, whose `domain` is written. -EINVAL: a number out of range; -ENOENT: no such module;
 * -EEXIST: there is a domain with this number; -EFAULT; -ENOEXEC: no kernel that can be started, and the
 * log says why; -ENOMEM: more memory than is free.
 */
#define ROOTSTOCK_BUILD_DOMAIN 0x103

/*
 * Keeps a domain from running; `domain` is all that is read. None of its vcpus runs when the call
 * returns. What it is told meanwhile waits for it. -ESRCH as above; -EINVAL: the caller itself.
 */
#define ROOTSTOCK_PAUSE_DOMAIN 0x104

/*
 * From now on a domain that suspends (SCHEDOP_shutdown with SHUTDOWN_suspend) does not end: it waits as
 * ROOTSTOCK_DOMAIN_IS_SUSPENDED, and VIRQ_DOM_EXC tells. `domain` is all that is read. -ESRCH as above.
 */
#define ROOTSTOCK_KEEP_SUSPENDED 0x105

/*
 * Lets a suspended domain go on: struct rootstock_change, whose `value` says how. It waits for
 * ROOTSTOCK_START_DOMAIN then.
 *
 *   ROOTSTOCK_AS_CANCELLED   its call answers 1, and nothing has changed.
 *   ROOTSTOCK_AS_NEW         its call answers 0, and it finds what a domain that was restored finds: all
 *                            ports closed and masked, an empty grant table of version 1, no registered
 *                            areas, no timers, and in start_info (the third argument of its call names
 *                            the frame) the page of shared_info and new ports for store and console.
 *
 * -ESRCH as above; -EINVAL: it is not suspended, or start_info is no page of its own, or `value` is
 * another; -EBUSY: grants are in use, by it or by others.
 */
#define ROOTSTOCK_RESUME_DOMAIN 0x106
#define ROOTSTOCK_AS_CANCELLED 0
#define ROOTSTOCK_AS_NEW 1

/*
 * How many frames a domain may have: struct rootstock_change. One that has more keeps them and gets no
 * further one. -ESRCH as above; -EINVAL: a negative number.
 */
#define ROOTSTOCK_LIMIT_DOMAIN 0x107

/*
 * By how many seconds a domain's time of day is ahead of the machine's: struct rootstock_change. Its
 * system time stays as it is. -ESRCH as above; -EINVAL: before 1970, or beyond 2^34 seconds.
 */
#define ROOTSTOCK_SHIFT_CLOCK 0x108

/*
 * Writes down what a suspended domain is made of (rootstock_saved.h), and says in the log where, with
 * `saved:`. `domain` is all that is read. What was written down before is gone, and it goes when the
 * domain is resumed or ends. -ESRCH as above; -EINVAL: it is not suspended, or a vcpu is in user mode;
 * -E2BIG: it has more frames than can be told of; -ENOMEM.
 */
#define ROOTSTOCK_RECORD_DOMAIN 0x109

/* Values of `state`. */
#define ROOTSTOCK_DOMAIN_RUNS 0
#define ROOTSTOCK_DOMAIN_HAS_ENDED 1
#define ROOTSTOCK_DOMAIN_IS_SUSPENDED 2

struct rootstock_domain {
    uint16_t domain;        /* in and out */
    uint16_t state;
    uint32_t reason;        /* of its end: SHUTDOWN_poweroff and others; 0 while it has not ended */
    uint32_t vcpus;
    uint32_t store_port;    /* the domain's ends of the two channels, for domain 0 to bind to; 0: none */
    uint32_t console_port;
    uint32_t zero;
    uint64_t frames;        /* how many frames of memory it may have */
    uint64_t store_frame;   /* machine frames of the two pages; 0: none */
    uint64_t console_frame;
    uint64_t held;          /* how many frames it has */
};

struct rootstock_change {
    uint16_t domain;
    uint16_t zero[3];
    int64_t value;
};

/* No ramdisk. */
#define ROOTSTOCK_NO_MODULE 0xffff
/* The longest command line, in bytes. */
#define ROOTSTOCK_COMMAND_LINE 1023

struct rootstock_build {
    uint16_t domain;        /* in: its number, 0 for one that is free; out */
    uint16_t kernel;        /* boot modules by number, from 0 */
    uint16_t ramdisk;
    uint16_t vcpus;         /* 1 to 128 */
    uint32_t memory;        /* MiB */
    uint32_t weight;        /* its share against others' of 256; 0 for 256 */
    uint64_t command_line;  /* address of its text in the caller's memory */
    uint32_t length;        /* of that, in bytes */
    uint16_t arguments;     /* a boot module with it in place of that, counted from 1; 0: none */
    uint16_t zero;
};

#endif
