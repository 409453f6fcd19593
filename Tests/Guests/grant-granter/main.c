/*
 * test: grant-granter
 * Domain 0 of a pair: grants a channel and a page of data to two mappers beside it, which find them
 * by fixed references and an unbound port. With each it exchanges words in both directions, maps the
 * mapper's page and copies out of it. The first mapper ends before it, the second after it, with its
 * mappings still there. boot.args starts the mappers, so the pair runs on Rootstock alone.
 */
#include "guest.h"
#include "pair.h"

static struct pair_channel *channels[PAIR_MAPPERS + 1];
static evtchn_port_t ports[PAIR_MAPPERS + 1];

/* Lets others run until something holds; panics after ten seconds. */
#define WAIT_FOR(condition, what)                                                                  \
    do {                                                                                           \
        uint64_t end = system_time() + 10 * SECONDS;                                               \
        while (!(condition)) {                                                                     \
            if (system_time() > end)                                                               \
                panic("no end of waiting: %s", what);                                              \
            HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);                                              \
        }                                                                                          \
    } while (0)

static void offer(domid_t domain)
{
    struct evtchn_alloc_unbound unbound = {.dom = DOMID_SELF, .remote_dom = domain};
    if (HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &unbound))
        panic("no port");
    ports[domain] = unbound.port;
    struct pair_channel *channel = channels[domain] = page_alloc();
    channel->magic = PAIR_MAGIC;
    channel->role = domain == 1 ? PAIR_MAPPER_ENDS : PAIR_GRANTER_ENDS;
    uint64_t *data = page_alloc();
    for (unsigned int i = 0; i < PAGE_SIZE / 8; i++)
        data[i] = PAIR_PATTERN(domain, i);
    grant_access(PAIR_DATA + domain, domain, mfn_of(data), GTF_permit_access | GTF_readonly);
    grant_access(PAIR_CHANNEL + domain, domain, mfn_of(channel), GTF_permit_access);
}

static void exchange(domid_t domain)
{
    struct pair_channel *channel = channels[domain];
    unsigned int right = 0;
    channel->phase = PAIR_RUNS;
    for (unsigned int i = 1; i <= PAIR_ROUNDS; i++) {
        uint64_t request = random_next();
        channel->request = request;
        barrier();
        channel->request_count = i;
        port_send(ports[domain]);
        WAIT_FOR(channel->answer_count == i, "an answer");
        right += channel->answer == pair_answer(request);
    }
    expect_value("right answers", right, PAIR_ROUNDS);
}

/* The mapper's page: mapped, written to, and copied out of. */
static void use_page(domid_t domain)
{
    uint64_t *target = page_alloc(), *copy = page_alloc();
    uint64_t at = (uint64_t)target;
    grant_ref_t reference = channels[domain]->reference;
    grant_handle_t handle;
    if (HYPERVISOR_update_va_mapping(at, 0, UVMF_INVLPG))
        panic("the target cannot be unmapped");
    expect_status("map the mapper's page",
                  grant_map(domain, reference, GNTMAP_host_map, at, &handle), GNTST_okay);
    expect_true("its content", target[5] == PAIR_PATTERN(domain, 500));
    target[6] = PAIR_PATTERN(domain, 600);
    expect_status("unmap it", grant_unmap(handle, at, 0), GNTST_okay);
    expect_status("copy out of it",
                  grant_copy((struct gnttab_copy){.source = copy_grant(domain, reference, 40),
                                                  .dest = copy_frame(mfn_of(copy), 0),
                                                  .len = 16,
                                                  .flags = GNTCOPY_source_gref}),
                  GNTST_okay);
    expect_true("the copy", copy[0] == PAIR_PATTERN(domain, 500) &&
                                copy[1] == PAIR_PATTERN(domain, 600));
}

static uint32_t port_status(evtchn_port_t port)
{
    struct evtchn_status status = {.dom = DOMID_SELF, .port = port};
    if (HYPERVISOR_event_channel_op(EVTCHNOP_status, &status))
        panic("no status of a port");
    return status.status;
}

void test_main(void)
{
    grants_initialise(1);
    for (domid_t domain = 1; domain <= PAIR_MAPPERS; domain++)
        offer(domain);
    for (domid_t domain = 1; domain <= PAIR_MAPPERS; domain++) {
        print("mapper %u:\n", domain);
        WAIT_FOR(channels[domain]->phase == PAIR_MAPPER_IS_HERE, "the mapper");
        expect_value("the port is bound", port_status(ports[domain]), EVTCHNSTAT_interdomain);
        expect_true("its grants cannot be taken back",
                    !grant_end(PAIR_CHANNEL + domain) && !grant_end(PAIR_DATA + domain));
        exchange(domain);
        use_page(domain);
        channels[domain]->phase = PAIR_IS_DONE;
        expect_value("what the mapper found wrong", channels[domain]->mapper_failed, 0);
    }
    WAIT_FOR(port_status(ports[1]) != EVTCHNSTAT_interdomain, "the first mapper's end");
    bool channel = false, data = false;
    WAIT_FOR((channel = channel || grant_end(PAIR_CHANNEL + 1)) &&
                 (data = data || grant_end(PAIR_DATA + 1)),
             "its grants");
    print("the first mapper has ended, and its grants are back\n");
    expect_true("the second still has its own", !grant_end(PAIR_CHANNEL + 2));
}
