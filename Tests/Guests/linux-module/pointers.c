/*
 * Bad pointers in the arguments of every family of calls: each answers an error, and nothing is written
 * where the guest could not write itself.
 */
#include "attacks.h"

#include <linux/slab.h>
#include <xen/interface/callback.h>
#include <xen/interface/event_channel.h>
#include <xen/interface/grant_table.h>
#include <xen/interface/physdev.h>
#include <xen/interface/sched.h>
#include <xen/interface/vcpu.h>
#include <xen/interface/version.h>
#include <xen/interface/io/console.h>

/* A call by its number with its pointer as the argument of this place, 1 to 3. */
struct place {
    unsigned int call, argument;
    unsigned long others[3];
};

static void try_places(struct outcome *outcome, const struct place *place, unsigned int count)
{
    for (; count; count--, place++)
        for (unsigned int i = 0; i < BAD_ADDRESSES; i++) {
            unsigned long list[3] = {place->others[0], place->others[1], place->others[2]};
            list[place->argument - 1] = bad_addresses[i];
            refusal(outcome, (u64)place->call << 32 | place->others[0] << 8 | i,
                    HYPERCALL(place->call, list[0], list[1], list[2], DOMID_SELF, 0));
        }
}

#define PLACES(name, ...)                                                                          \
    static void name(struct outcome *outcome)                                                      \
    {                                                                                              \
        static const struct place places[] = {__VA_ARGS__};                                        \
        try_places(outcome, places, ARRAY_SIZE(places));                                           \
    }

PLACES(in_version, {__HYPERVISOR_xen_version, 2, {XENVER_extraversion}},
       {__HYPERVISOR_xen_version, 2, {XENVER_compile_info}},
       {__HYPERVISOR_xen_version, 2, {XENVER_capabilities}},
       {__HYPERVISOR_xen_version, 2, {XENVER_changeset}},
       {__HYPERVISOR_xen_version, 2, {XENVER_platform_parameters}},
       {__HYPERVISOR_xen_version, 2, {XENVER_get_features}})

/* The fourth argument is the domain. */
PLACES(in_tables, {__HYPERVISOR_mmu_update, 1, {0, 1}}, {__HYPERVISOR_mmuext_op, 1, {0, 1}},
       {__HYPERVISOR_set_gdt, 1, {0, 512}}, {__HYPERVISOR_set_trap_table, 1, {}})

PLACES(in_memory, {__HYPERVISOR_memory_op, 2, {XENMEM_current_reservation}},
       {__HYPERVISOR_memory_op, 2, {XENMEM_maximum_reservation}},
       {__HYPERVISOR_memory_op, 2, {XENMEM_exchange}},
       {__HYPERVISOR_memory_op, 2, {XENMEM_machphys_mfn_list}},
       {__HYPERVISOR_memory_op, 2, {XENMEM_add_to_physmap}},
       {__HYPERVISOR_memory_op, 2, {XENMEM_memory_map}},
       {__HYPERVISOR_memory_op, 2, {XENMEM_machine_memory_map}})

PLACES(in_events, {__HYPERVISOR_event_channel_op, 2, {EVTCHNOP_alloc_unbound}},
       {__HYPERVISOR_event_channel_op, 2, {EVTCHNOP_bind_interdomain}},
       {__HYPERVISOR_event_channel_op, 2, {EVTCHNOP_bind_virq}},
       {__HYPERVISOR_event_channel_op, 2, {EVTCHNOP_bind_ipi}},
       {__HYPERVISOR_event_channel_op, 2, {EVTCHNOP_close}},
       {__HYPERVISOR_event_channel_op, 2, {EVTCHNOP_send}},
       {__HYPERVISOR_event_channel_op, 2, {EVTCHNOP_status}},
       {__HYPERVISOR_event_channel_op, 2, {EVTCHNOP_bind_vcpu}},
       {__HYPERVISOR_event_channel_op, 2, {EVTCHNOP_unmask}},
       {__HYPERVISOR_event_channel_op, 2, {EVTCHNOP_reset}},
       {__HYPERVISOR_event_channel_op, 2, {EVTCHNOP_init_control}},
       {__HYPERVISOR_event_channel_op, 2, {EVTCHNOP_expand_array}})

PLACES(in_grants, {__HYPERVISOR_grant_table_op, 2, {GNTTABOP_map_grant_ref, 0, 1}},
       {__HYPERVISOR_grant_table_op, 2, {GNTTABOP_unmap_grant_ref, 0, 1}},
       {__HYPERVISOR_grant_table_op, 2, {GNTTABOP_setup_table, 0, 1}},
       {__HYPERVISOR_grant_table_op, 2, {GNTTABOP_copy, 0, 1}},
       {__HYPERVISOR_grant_table_op, 2, {GNTTABOP_query_size, 0, 1}},
       {__HYPERVISOR_grant_table_op, 2, {GNTTABOP_unmap_and_replace, 0, 1}},
       {__HYPERVISOR_grant_table_op, 2, {GNTTABOP_set_version, 0, 1}},
       {__HYPERVISOR_grant_table_op, 2, {GNTTABOP_get_status_frames, 0, 1}})

PLACES(in_scheduling, {__HYPERVISOR_sched_op, 2, {SCHEDOP_shutdown}},
       {__HYPERVISOR_sched_op, 2, {SCHEDOP_poll}},
       {__HYPERVISOR_sched_op, 2, {SCHEDOP_remote_shutdown}},
       {__HYPERVISOR_sched_op, 2, {SCHEDOP_watchdog}})

PLACES(in_vcpus, {__HYPERVISOR_vcpu_op, 3, {VCPUOP_initialise, 1}},
       {__HYPERVISOR_vcpu_op, 3, {VCPUOP_get_runstate_info, 0}},
       {__HYPERVISOR_vcpu_op, 3, {VCPUOP_set_singleshot_timer, 0}},
       {__HYPERVISOR_vcpu_op, 3, {VCPUOP_set_periodic_timer, 0}},
       {__HYPERVISOR_vcpu_op, 3, {VCPUOP_register_vcpu_info, 0}})

PLACES(in_console, {__HYPERVISOR_console_io, 3, {CONSOLEIO_write, 100}},
       {__HYPERVISOR_console_io, 3, {CONSOLEIO_write, 0x7fffffff}})

PLACES(in_devices, {__HYPERVISOR_physdev_op, 2, {PHYSDEVOP_set_iopl}},
       {__HYPERVISOR_physdev_op, 2, {PHYSDEVOP_set_iobitmap}},
       {__HYPERVISOR_physdev_op, 2, {PHYSDEVOP_irq_status_query}},
       {__HYPERVISOR_physdev_op, 2, {PHYSDEVOP_eoi}})

PLACES(in_callbacks, {__HYPERVISOR_callback_op, 2, {CALLBACKOP_register}},
       {__HYPERVISOR_callback_op, 2, {CALLBACKOP_unregister}},
       {__HYPERVISOR_nmi_op, 2, {0}})

PLACES(in_multicalls, {__HYPERVISOR_multicall, 1, {0, 1}},
       {__HYPERVISOR_multicall, 1, {0, 0xffffffff}})

/* What the hypervisor writes: into tables, which are read-only here, and half out of a page. */
static void outputs_in_tables(struct outcome *outcome)
{
    u64 *top = top_table();
    u64 places[] = {(u64)&top[100], (u64)&top[257], (u64)leaf, (u64)machine_to_phys_mapping,
                    (u64)area + 16 * PAGE_SIZE - 4, HYPERVISOR_VIRT_START - 4, -4ul};
    for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
        refusal(outcome, i,
                HYPERCALL(__HYPERVISOR_xen_version, XENVER_extraversion, places[i], 0, 0, 0));
        refusal(outcome, i,
                HYPERCALL(__HYPERVISOR_xen_version, XENVER_capabilities, places[i], 0, 0, 0));
        refusal(outcome, i,
                HYPERCALL(__HYPERVISOR_vcpu_op, VCPUOP_get_runstate_info, 0, places[i], 0, 0));
    }
}

/* Lists inside of arguments, and counts that wrap an address. */
static void inner(struct outcome *outcome)
{
    for (unsigned int i = 0; i < BAD_ADDRESSES; i++) {
        void *bad = (void *)bad_addresses[i];
        struct gnttab_setup_table setup = {.dom = DOMID_SELF, .nr_frames = 1};
        struct sched_poll poll = {.nr_ports = 1, .timeout = 1};
        struct xen_memory_reservation list = {.nr_extents = 1, .domid = DOMID_SELF};
        struct physdev_set_iobitmap map = {.nr_ports = 65536};
        set_xen_guest_handle(setup.frame_list, bad);
        /* It may answer in the structure. */
        if (HYPERCALL(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, &setup, 1, 0, 0) == 0)
            refusal(outcome, i, setup.status);
        set_xen_guest_handle(poll.ports, bad);
        refusal(outcome, i, HYPERCALL(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll, 0, 0, 0));
        set_xen_guest_handle(list.extent_start, bad);
        refusal(outcome, i,
                HYPERCALL(__HYPERVISOR_memory_op, XENMEM_populate_physmap, &list, 0, 0, 0) - 1);
        refusal(outcome, i,
                HYPERCALL(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &list, 0, 0, 0) - 1);
        list.nr_extents = ~0ul;
        refusal(outcome, i,
                HYPERCALL(__HYPERVISOR_memory_op, XENMEM_increase_reservation, &list, 0, 0, 0) - 1);
        set_xen_guest_handle(map.bitmap, bad);
        /* Taken by some, used by none: see the ports. */
        HYPERCALL(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iobitmap, &map, 0, 0, 0);
    }
    {
        struct physdev_set_iobitmap none = {};
        HYPERCALL(__HYPERVISOR_physdev_op, PHYSDEVOP_set_iobitmap, &none, 0, 0, 0);
    }
}

/* Maps of processors to flush, at bad places. */
static void in_flushes(struct outcome *outcome)
{
    u64 before = *leaf;
    for (unsigned int i = 0; i < BAD_ADDRESSES; i++) {
        u64 flags = (bad_addresses[i] & ~7ul) | UVMF_MULTI;
        /* The entry may be written before the map is read, and stays the same. */
        HYPERCALL(__HYPERVISOR_update_va_mapping, area, before, flags | UVMF_INVLPG, 0, 0);
        HYPERCALL(__HYPERVISOR_update_va_mapping, area, before, flags | UVMF_TLB_FLUSH, 0, 0);
        extended(MMUEXT_INVLPG_MULTI, (u64)area, bad_addresses[i]);
        extended(MMUEXT_TLB_FLUSH_MULTI, 0, bad_addresses[i]);
        extended(MMUEXT_INVLPG_LOCAL, bad_addresses[i], 0);
        extended(MMUEXT_INVLPG_ALL, bad_addresses[i], 0);
        vain(outcome, i, entry_frame(*leaf) == entry_frame(before));
    }
}

const struct attack pointer_attacks[] = {
    {"pointers-version", in_version},     {"pointers-tables", in_tables},
    {"pointers-memory", in_memory},       {"pointers-events", in_events},
    {"pointers-grants", in_grants},       {"pointers-scheduling", in_scheduling},
    {"pointers-vcpus", in_vcpus},         {"pointers-console", in_console},
    {"pointers-devices", in_devices},     {"pointers-callbacks", in_callbacks},
    {"pointers-multicalls", in_multicalls}, {"pointers-outputs-in-tables", outputs_in_tables},
    {"pointers-inner", inner},            {"pointers-flushes", in_flushes},
    {},
};
