/*
 * A machine in one process: memory, a grant table, ports and time, for the frontends on one side
 * (host.c is their xg_os.h) and for the models of the other side, which are written on what is
 * declared here. One thread; whoever waits makes the models run.
 */
#ifndef HOST_H
#define HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "xg_os.h"

/* Starts anew: nothing allocated, no port, no grant. Each test is a process of its own. */
void host_start(uint64_t seed);

/* Repeatable random numbers. */
uint64_t host_random(void);
uint32_t host_below(uint32_t limit);
static inline bool host_chance(uint32_t percent)
{
    return host_below(100) < percent;
}

/* What runs on the other side, in each round. Returns whether it did anything. */
typedef bool host_model(void *context);
void host_add_model(host_model *model, void *context);
/* Rounds of models and events until nothing happens any more, `rounds` at the most. */
void host_run(unsigned int rounds);
/* Time goes on. */
void host_pass(uint64_t nanoseconds);
/* Models, events and xg_bus_poll, until the condition holds or so much time has passed. */
bool host_until(bool (*condition)(void *context), void *context, uint64_t nanoseconds);

/* Grants, as a backend sees them. 0: Xen would refuse. The domain is that of the backend. */
void *host_map(grant_ref_t reference, domid_t domain, bool writable);
void host_unmap(grant_ref_t reference, bool writable);
/* A page without a mapping, as by GNTTABOP_copy; the same checks. */
void *host_copy_access(grant_ref_t reference, domid_t domain, bool writable);
uint32_t host_mapped(void);
/* A page by its frame number. */
void *host_page(uint64_t frame);

/* Ports: whether the frontend has notified since the last look; notifying the frontend. */
bool host_port_open(evtchn_port_t port);
bool host_port_take(evtchn_port_t port);
void host_port_notify(evtchn_port_t port);
unsigned int host_ports(void);

/* What the frontends hold. */
size_t host_pages_used(void);
size_t host_bytes_used(void);
/* The system has no more pages, or bytes, than these. */
void host_limit(size_t pages, size_t bytes);
/* Of how many freed pages one is looked for among the grants, which takes long: a fuzzer sets more. */
extern unsigned int host_check_every;
/* Frames that the balloon gave to the hypervisor. */
extern size_t host_frames_given;
/* The last shutdown that was asked for; 255: none. And suspends, with what they shall answer. */
extern unsigned int host_shutdown_reason;
extern unsigned int host_suspends;
extern int host_suspend_answer;
/* Lines logged; printed with VERBOSE=1. */
extern unsigned int host_lines_logged;

/* The pages of xenstore and console. */
extern struct xenstore_domain_interface *host_store_page;
extern struct xencons_interface *host_console_page;
#define HOST_STORE_PORT 1u
#define HOST_CONSOLE_PORT 2u

/* Tests. */
typedef void test_function(void);
void check(bool condition, const char *file, int line, const char *text);
#define CHECK(condition) check((condition), __FILE__, __LINE__, #condition)
extern unsigned int host_failures;

#endif /* HOST_H */
