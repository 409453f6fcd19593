/*
 * Other domains: the control domain, the one beside, and numbers that nobody has, wherever a call takes
 * a domain; their event channels and what they granted to others.
 */
#include "attacks.h"

#include <xen/interface/event_channel.h>
#include <xen/interface/grant_table.h>
#include <xen/interface/sched.h>

static const domid_t domains[] = {0,          1,      2,      3, 77, 0x7fef, DOMID_IO, DOMID_XEN,
                                  DOMID_COW, 0x7ff4, 0x7fff, 0x8000, 0xffff};

#define EACH_DOMAIN(id)                                                                            \
    for (unsigned int at_ = 0; at_ < ARRAY_SIZE(domains); at_++)                                   \
        for (domid_t id = domains[at_], once_ = 1; once_ && id != self; once_ = 0)

#define EVENT(operation, argument)                                                                 \
    HYPERCALL(__HYPERVISOR_event_channel_op, operation, argument, 0, 0, 0)
#define MEMORY(operation, argument)                                                                \
    HYPERCALL(__HYPERVISOR_memory_op, operation, argument, 0, 0, 0)

static void tables_of_others(struct outcome *outcome)
{
    EACH_DOMAIN(id) {
        struct mmu_update one = {.ptr = arbitrary_virt_to_machine(leaf).maddr,
                                 .val = entry_make(frame_of_other(0x100), READ_WRITE)};
        struct mmuext_op pin = {.cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = frame_of_other(0x100)};
        refusal(outcome, id, HYPERCALL(__HYPERVISOR_mmu_update, &one, 1, 0, id, 0));
        if (id != 0xffff)
            refusal(outcome, (u64)id << 16,
                    HYPERCALL(__HYPERVISOR_mmu_update, &one, 1, 0, (id + 1u) << 16 | DOMID_SELF, 0));
        refusal(outcome, id, HYPERCALL(__HYPERVISOR_mmuext_op, &pin, 1, 0, id, 0));
        refusal(outcome, id,
                HYPERCALL(__HYPERVISOR_update_va_mapping_otherdomain, area, one.val, 0, id, 0));
    }
}

static void memory_of_others(struct outcome *outcome)
{
    EACH_DOMAIN(id) {
        xen_pfn_t frame = frame_of_other(0x100);
        domid_t argument = id;
        struct xen_memory_reservation list = {.nr_extents = 1, .domid = id};
        struct xen_add_to_physmap add = {.domid = id, .space = 0};
        set_xen_guest_handle(list.extent_start, &frame);
        refusal(outcome, id, MEMORY(XENMEM_current_reservation, &argument));
        refusal(outcome, id, MEMORY(XENMEM_maximum_reservation, &argument));
        refusal(outcome, id, MEMORY(14 /* maximum_gpfn */, &argument));
        refusal(outcome, id, MEMORY(XENMEM_increase_reservation, &list) - 1);
        refusal(outcome, id, MEMORY(XENMEM_decrease_reservation, &list) - 1);
        refusal(outcome, id, MEMORY(XENMEM_populate_physmap, &list) - 1);
        refusal(outcome, id, MEMORY(XENMEM_add_to_physmap, &add));
    }
}

static void bind_to_others(struct outcome *outcome)
{
    EACH_DOMAIN(id)
        for (unsigned int port = 0; port < 200; port++) {
            struct evtchn_bind_interdomain bind = {.remote_dom = id, .remote_port = port};
            long answer = EVENT(EVTCHNOP_bind_interdomain, &bind);
            struct evtchn_close close = {.port = bind.local_port};
            refusal(outcome, (u64)id << 32 | port, answer);
            if (answer == 0)
                EVENT(EVTCHNOP_close, &close);
        }
}

static void events_of_others(struct outcome *outcome)
{
    EACH_DOMAIN(id) {
        struct evtchn_alloc_unbound bound = {.dom = id, .remote_dom = self};
        struct evtchn_status status = {.dom = id, .port = 1};
        struct evtchn_reset reset = {.dom = id};
        refusal(outcome, id, EVENT(EVTCHNOP_alloc_unbound, &bound));
        refusal(outcome, id, EVENT(EVTCHNOP_status, &status));
        refusal(outcome, id, EVENT(EVTCHNOP_reset, &reset));
    }
}

/* Ports that there are not, or that are nobody's. */
static void ports(struct outcome *outcome)
{
    static const u32 numbers[] = {0, 3000, 4095, 4096, 131071, 131072, 0x7fffffff, 0x80000000, ~0u};
    for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++) {
        struct evtchn_send send = {.port = numbers[i]};
        struct evtchn_close close = {.port = numbers[i]};
        struct evtchn_bind_vcpu vcpu = {.port = numbers[i], .vcpu = 0};
        refusal(outcome, numbers[i], EVENT(EVTCHNOP_send, &send));
        refusal(outcome, numbers[i], EVENT(EVTCHNOP_close, &close));
        refusal(outcome, numbers[i], EVENT(EVTCHNOP_bind_vcpu, &vcpu));
    }
}

static void interrupts(struct outcome *outcome)
{
    static const u32 bad[] = {64, 4096, 0x7fffffff, 0x80000000, ~0u};
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        struct evtchn_bind_virq virq = {.virq = bad[i], .vcpu = 0};
        struct evtchn_bind_virq elsewhere = {.virq = 0, .vcpu = bad[i]};
        struct evtchn_bind_ipi ipi = {.vcpu = bad[i]};
        struct evtchn_bind_pirq pirq = {.pirq = bad[i]};
        refusal(outcome, bad[i], EVENT(EVTCHNOP_bind_virq, &virq));
        refusal(outcome, bad[i], EVENT(EVTCHNOP_bind_virq, &elsewhere));
        refusal(outcome, bad[i], EVENT(EVTCHNOP_bind_ipi, &ipi));
        refusal(outcome, bad[i], EVENT(EVTCHNOP_bind_pirq, &pirq));
    }
    /* Interrupts of the machine. */
    for (u32 number = 0; number < 24; number++) {
        struct evtchn_bind_pirq pirq = {.pirq = number};
        refusal(outcome, number, EVENT(EVTCHNOP_bind_pirq, &pirq));
    }
}

#define GRANT(operation, argument)                                                                 \
    HYPERCALL(__HYPERVISOR_grant_table_op, operation, argument, 1, 0, 0)

/* A whole call may be refused, or its one element. */
static void grant_refusal(struct outcome *outcome, u64 which, long answer, const s16 *status)
{
    refusal(outcome, which, answer ? answer : *status);
}

static void map_grants(struct outcome *outcome)
{
    static const u32 far[] = {0x7fffffff, 0x80000000, 0xfffffff8, ~0u, 0x20000000, 1u << 16};
    EACH_DOMAIN(id)
        for (u32 i = 0; i < 600 + ARRAY_SIZE(far); i++) {
            struct gnttab_map_grant_ref map = {.host_addr = (u64)area,
                                               .flags = GNTMAP_host_map,
                                               .ref = i < 600 ? i : far[i - 600],
                                               .dom = id};
            grant_refusal(outcome, (u64)id << 32 | map.ref, GRANT(GNTTABOP_map_grant_ref, &map),
                          &map.status);
        }
}

static void map_grants_badly(struct outcome *outcome)
{
    for (unsigned int i = 0; i < BAD_ADDRESSES; i++)
        for (u32 flags = 0; flags < 64; flags++) {
            struct gnttab_map_grant_ref map = {
                .host_addr = bad_addresses[i], .flags = flags, .ref = 8, .dom = self};
            grant_refusal(outcome, bad_addresses[i], GRANT(GNTTABOP_map_grant_ref, &map),
                          &map.status);
        }
}

static void unmap_grants(struct outcome *outcome)
{
    static const u32 handles[] = {0, 1, 2, 77, 4095, 4096, 0x7fffffff, 0x80000000, ~0u};
    for (unsigned int i = 0; i < ARRAY_SIZE(handles); i++)
        for (unsigned int j = 0; j <= BAD_ADDRESSES; j++) {
            u64 address = j < BAD_ADDRESSES ? bad_addresses[j] : (u64)area;
            struct gnttab_unmap_grant_ref unmap = {.host_addr = address, .handle = handles[i]};
            struct gnttab_unmap_and_replace replace = {
                .host_addr = address, .new_addr = (u64)area + PAGE_SIZE, .handle = handles[i]};
            grant_refusal(outcome, handles[i], GRANT(GNTTABOP_unmap_grant_ref, &unmap),
                          &unmap.status);
            grant_refusal(outcome, handles[i], GRANT(GNTTABOP_unmap_and_replace, &replace),
                          &replace.status);
        }
}

static void copy_frames(struct outcome *outcome)
{
    u64 *page = page_take();
    u64 frames[] = {frame_of_other(0x100), frame_of_other(0x2000), 0xfffffffff, ~0ul,
                    entry_frame(top_table()[256])};
    EACH_DOMAIN(id)
        for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++) {
            struct gnttab_copy from = {.len = 64}, to = {.len = 64};
            from.source.domid = id;
            from.source.u.gmfn = frames[i];
            from.dest.domid = DOMID_SELF;
            from.dest.u.gmfn = frame_of(page);
            grant_refusal(outcome, id, GRANT(GNTTABOP_copy, &from), &from.status);
            to.source.domid = DOMID_SELF;
            to.source.u.gmfn = frame_of(page);
            to.dest.domid = id;
            to.dest.u.gmfn = frames[i];
            grant_refusal(outcome, id, GRANT(GNTTABOP_copy, &to), &to.status);
            to.dest.domid = DOMID_SELF;
            grant_refusal(outcome, frames[i], GRANT(GNTTABOP_copy, &to), &to.status);
            from.source.domid = id;
            from.source.u.ref = 8 + i;
            from.flags = GNTCOPY_source_gref;
            grant_refusal(outcome, id, GRANT(GNTTABOP_copy, &from), &from.status);
        }
    page_give(page);
}

/* Out of a page, into tables and descriptors of the guest's own. */
static void copy_beyond(struct outcome *outcome)
{
    static const struct {
        u16 from, to, length;
    } rows[] = {{0, 4090, 64}, {4090, 0, 64}, {0, 0, 4097}, {0xfff0, 0, 32}, {0, 0xfff0, 32},
                {1, 0, 0xffff}};
    u64 *page = page_take();
    for (unsigned int i = 0; i < ARRAY_SIZE(rows); i++) {
        struct gnttab_copy copy = {.len = rows[i].length};
        copy.source.domid = copy.dest.domid = DOMID_SELF;
        copy.source.u.gmfn = copy.dest.u.gmfn = frame_of(page);
        copy.source.offset = rows[i].from;
        copy.dest.offset = rows[i].to;
        grant_refusal(outcome, i, GRANT(GNTTABOP_copy, &copy), &copy.status);
    }
    for (unsigned int level = 1; level <= 4; level++) {
        struct gnttab_copy copy = {.len = 8};
        copy.source.domid = copy.dest.domid = DOMID_SELF;
        copy.source.u.gmfn = frame_of(page);
        copy.dest.u.gmfn = frame_of(entry_of((unsigned long)area, level));
        copy.dest.offset = 4080;
        grant_refusal(outcome, level, GRANT(GNTTABOP_copy, &copy), &copy.status);
    }
    page_give(page);
}

static void grant_tables_of_others(struct outcome *outcome)
{
    EACH_DOMAIN(id) {
        static xen_pfn_t frames[4];
        struct gnttab_setup_table setup = {.dom = id, .nr_frames = 1};
        struct gnttab_query_size query = {.dom = id};
        set_xen_guest_handle(setup.frame_list, frames);
        grant_refusal(outcome, id, GRANT(GNTTABOP_setup_table, &setup), &setup.status);
        grant_refusal(outcome, id, GRANT(GNTTABOP_query_size, &query), &query.status);
    }
}

static void shut_down_others(struct outcome *outcome)
{
    EACH_DOMAIN(id)
        for (unsigned int reason = 0; reason < 8; reason++) {
            struct sched_remote_shutdown call = {.domain_id = id, .reason = reason};
            refusal(outcome, id,
                    HYPERCALL(__HYPERVISOR_sched_op, SCHEDOP_remote_shutdown, &call, 0, 0, 0));
        }
}

const struct attack domain_attacks[] = {
    {"domains-tables", tables_of_others},
    {"domains-memory", memory_of_others},
    {"domains-shutdown", shut_down_others},
    {"events-bind-to-others", bind_to_others},
    {"events-of-others", events_of_others},
    {"events-ports", ports},
    {"events-interrupts", interrupts},
    {"grants-map", map_grants},
    {"grants-map-badly", map_grants_badly},
    {"grants-unmap", unmap_grants},
    {"grants-copy-frames", copy_frames},
    {"grants-copy-beyond", copy_beyond},
    {"grants-tables-of-others", grant_tables_of_others},
    {},
};
