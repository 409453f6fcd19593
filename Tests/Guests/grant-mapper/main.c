/*
 * test: grant-mapper
 * Runs beside grant-granter, without privilege: maps what domain 0 grants it, answers what comes
 * over the channel, and grants a page of its own. The first mapper powers off with everything
 * mapped; the second waits until domain 0 is dead, and finds its mappings as they were. Alone, as
 * domain 0, it has nobody to find.
 */
#include "guest.h"
#include "pair.h"

#define CHANNEL 0x0000600000000000ul
#define DATA (CHANNEL + PAGE_SIZE)

static volatile struct pair_channel *const channel = (void *)CHANNEL;

static void check(bool condition, const char *what)
{
    if (condition)
        return;
    channel->mapper_failed++;
    failure("%s", what);
}

/* The reference that is for this domain tells its number. */
static domid_t find(grant_handle_t *handle)
{
    uint64_t end = system_time() + 10 * SECONDS;
    while (system_time() < end) {
        for (domid_t own = 1; own <= PAIR_MAPPERS; own++) {
            if (grant_map(0, PAIR_CHANNEL + own, GNTMAP_host_map, CHANNEL, handle) == GNTST_okay)
                return own;
        }
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
    }
    panic("nobody grants anything");
}

static evtchn_port_t bind(void)
{
    for (evtchn_port_t port = 1; port < 64; port++) {
        struct evtchn_bind_interdomain bind = {.remote_dom = 0, .remote_port = port};
        if (HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &bind) == 0)
            return bind.local_port;
    }
    panic("no port can be bound");
}

static bool is_bound(evtchn_port_t port)
{
    struct evtchn_status status = {.dom = DOMID_SELF, .port = port};
    return HYPERVISOR_event_channel_op(EVTCHNOP_status, &status) == 0 &&
           status.status == EVTCHNSTAT_interdomain;
}

static void answer_all(evtchn_port_t port)
{
    uint64_t done = 0;
    while (channel->phase != PAIR_IS_DONE && is_bound(port)) {
        /* Each request comes with an event, and the next one after its answer. */
        if (!port_pending(port)) {
            HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
            continue;
        }
        port_clear(port);
        check(channel->request_count == ++done, "an event came without a request");
        channel->answer = pair_answer(channel->request);
        barrier();
        channel->answer_count = done;
    }
    check(done == PAIR_ROUNDS, "requests are missing");
}

void test_main(void)
{
    if (start_info->flags & SIF_INITDOMAIN) {
        skip("nobody to map from");
        return;
    }
    grants_initialise(1);
    uint64_t *own_page = page_alloc();
    if (map(CHANNEL, pte_make(mfn_of(own_page), PTE_READ_ONLY)) || map(CHANNEL, 0))
        panic("no tables for the mappings");
    grant_handle_t handle, data_handle;
    domid_t own = find(&handle);
    check(channel->magic == PAIR_MAGIC, "the channel is another page");
    check(grant_map(0, PAIR_DATA + own, GNTMAP_host_map, DATA, 0) == GNTST_general_error,
          "a read-only grant was mapped writable");
    check(grant_map(0, PAIR_DATA + own, GNTMAP_host_map | GNTMAP_readonly, DATA, &data_handle) ==
              GNTST_okay, "the data cannot be mapped");
    check(grant_map(0, PAIR_DATA + 3 - own, GNTMAP_host_map | GNTMAP_readonly, DATA + PAGE_SIZE,
                    0) == GNTST_general_error, "another's grant was mapped");
    uint64_t *data = (uint64_t *)DATA;
    for (unsigned int i = 0; i < PAGE_SIZE / 8; i++)
        if (data[i] != PAIR_PATTERN(own, i)) {
            check(false, "the data are wrong");
            break;
        }
    check(try_write(data, 0) != NO_FAULT, "a read-only mapping was written");
    evtchn_port_t port = bind();
    port_clear(port);
    own_page[5] = PAIR_PATTERN(own, 500);
    grant_access(30, 0, mfn_of(own_page), GTF_permit_access);
    channel->reference = 30;
    barrier();
    channel->phase = PAIR_MAPPER_IS_HERE;
    answer_all(port);
    check(own_page[6] == PAIR_PATTERN(own, 600), "domain 0 did not write to the page");
    check(grant_end(30), "domain 0 keeps the page");
    if (channel->role == PAIR_MAPPER_ENDS)
        return;
    while (is_bound(port))
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
    check(channel->magic == PAIR_MAGIC, "the dead domain's page has changed");
    check(data[7] == PAIR_PATTERN(own, 7), "the dead domain's data have changed");
    check(grant_map(0, PAIR_DATA + own, GNTMAP_device_map, 0, 0) == GNTST_bad_domain,
          "a dead domain's grant was mapped");
    uint32_t failed = channel->mapper_failed;
    int status = grant_unmap(handle, CHANNEL, 0);
    if (status || failed)
        failure("unmap: %d, %u before", status, failed);
    expect_status("unmap the dead domain's data", grant_unmap(data_handle, DATA, 0), GNTST_okay);
    fault_t fault = try_write((void *)CHANNEL, 0);
    faulted("write to what was unmapped", fault);
}
