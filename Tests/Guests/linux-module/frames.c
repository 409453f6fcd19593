/*
 * Frames that are not the guest's: of others, of devices, of the hypervisor, and those that there are
 * not; and the table from frames to their numbers in guests.
 */
#include "attacks.h"

#include <linux/bitmap.h>
#include <linux/vmalloc.h>
#include <xen/interface/grant_table.h>

#define MOST_FRAMES (1ul << 20)

static unsigned long *own;
static u64 frames;

static void mark(u64 frame)
{
    if (frame < MOST_FRAMES)
        set_bit(frame, own);
}

int frames_begin(void)
{
    static xen_pfn_t grants[64];
    struct gnttab_setup_table setup = {.dom = DOMID_SELF};
    struct gnttab_query_size query = {.dom = DOMID_SELF};
    long last = HYPERCALL(__HYPERVISOR_memory_op, XENMEM_maximum_ram_page, 0, 0, 0, 0);

    frames = last > 0 && last < MOST_FRAMES ? last : 0x8000;
    own = vzalloc(MOST_FRAMES / 8);
    if (!own)
        return -ENOMEM;
    for (unsigned long pfn = 0; pfn < xen_start_info->nr_pages; pfn++) {
        unsigned long frame = get_phys_to_machine(pfn);
        if (frame != INVALID_P2M_ENTRY)
            mark(frame & ~(FOREIGN_FRAME_BIT | IDENTITY_FRAME_BIT));
    }
    /* What the hypervisor gives the guest to map. */
    mark(xen_start_info->shared_info >> PAGE_SHIFT);
    HYPERCALL(__HYPERVISOR_grant_table_op, GNTTABOP_query_size, &query, 1, 0, 0);
    setup.nr_frames = min_t(unsigned int, query.nr_frames, ARRAY_SIZE(grants));
    set_xen_guest_handle(setup.frame_list, grants);
    HYPERCALL(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, &setup, 1, 0, 0);
    for (unsigned int i = 0; i < setup.nr_frames; i++)
        mark(grants[i]);
    return 0;
}

void frames_end(void) { vfree(own); }

u64 frame_of_other(u64 frame)
{
    for (; frame < frames; frame++)
        if (!test_bit(frame, own))
            return frame;
    return 0;
}

#define EACH_OTHER(frame, step)                                                                    \
    for (u64 frame = frame_of_other(1); frame; frame = frame_of_other(frame + (step)))

static void map_others(struct outcome *outcome)
{
    EACH_OTHER(frame, 7)
        entry_refusal(outcome, frame, leaf, entry_make(frame, frame & 1 ? READ_WRITE : READ_ONLY));
}

static void map_others_by_address(struct outcome *outcome)
{
    EACH_OTHER(frame, 31)
        refusal(outcome, frame,
                HYPERCALL(__HYPERVISOR_update_va_mapping, area, entry_make(frame, READ_WRITE),
                          UVMF_INVLPG, 0, 0));
}

static void write_others(struct outcome *outcome)
{
    EACH_OTHER(frame, 31)
        refusal(outcome, frame, update(frame << PAGE_SHIFT, 0));
}

static void pin_others(struct outcome *outcome)
{
    EACH_OTHER(frame, 61)
        for (unsigned int command = MMUEXT_PIN_L1_TABLE; command <= MMUEXT_PIN_L4_TABLE; command++)
            refusal(outcome, frame, extended(command, frame, 0));
}

static void clear_others(struct outcome *outcome)
{
    u64 *page = page_take();
    EACH_OTHER(frame, 61) {
        refusal(outcome, frame, extended(MMUEXT_CLEAR_PAGE, frame, 0));
        refusal(outcome, frame, extended(MMUEXT_COPY_PAGE, frame, frame_of(page)));
        refusal(outcome, frame, extended(MMUEXT_COPY_PAGE, frame_of(page), frame));
    }
    /* Tables are not to be cleared either. */
    for (unsigned int level = 1; level <= 4; level++) {
        u64 table = frame_of(entry_of((unsigned long)area, level));
        refusal(outcome, level, extended(MMUEXT_CLEAR_PAGE, table, 0));
        refusal(outcome, level, extended(MMUEXT_COPY_PAGE, table, frame_of(page)));
    }
    page_give(page);
}

static void release_others(struct outcome *outcome)
{
    EACH_OTHER(frame, 61) {
        xen_pfn_t extent = frame;
        struct xen_memory_reservation list = {.nr_extents = 1, .domid = DOMID_SELF};
        set_xen_guest_handle(list.extent_start, &extent);
        /* It counts what it has done. */
        refusal(outcome, frame,
                HYPERCALL(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, &list, 0, 0, 0) - 1);
    }
}

static void exchange_others(struct outcome *outcome)
{
    u64 *page = page_take();
    u64 inputs[] = {frame_of_other(0x100), frame_of(leaf), frame_of(top_table()), 0xfffffffff, ~0ul,
                    frame_of(page)};
    for (unsigned int i = 0; i < ARRAY_SIZE(inputs); i++)
        for (unsigned int j = 0; j < BAD_ADDRESSES; j++) {
            xen_pfn_t in = inputs[i], out = page_to_pfn(virt_to_page(page));
            struct xen_memory_exchange call = {.in = {.nr_extents = 1, .domid = DOMID_SELF},
                                               .out = {.nr_extents = 1, .domid = DOMID_SELF}};
            set_xen_guest_handle(call.in.extent_start, &in);
            set_xen_guest_handle(call.out.extent_start, &out);
            if (i < 5)
                refusal(outcome, i,
                        HYPERCALL(__HYPERVISOR_memory_op, XENMEM_exchange, &call, 0, 0, 0));
            /* An own page, whose new frame is told in the hypervisor, or far behind the list. */
            if (bad_addresses[j] == NOWHERE)
                continue;
            set_xen_guest_handle(call.out.extent_start, (xen_pfn_t *)bad_addresses[j]);
            refusal(outcome, j, HYPERCALL(__HYPERVISOR_memory_op, XENMEM_exchange, &call, 0, 0, 0));
            call.nr_exchanged = (bad_addresses[j] - (u64)&out) / 8;
            call.in.nr_extents = call.out.nr_extents = call.nr_exchanged + 1;
            set_xen_guest_handle(call.out.extent_start, &out);
            refusal(outcome, j, HYPERCALL(__HYPERVISOR_memory_op, XENMEM_exchange, &call, 0, 0, 0));
        }
    page_give(page);
}

static void devices(struct outcome *outcome)
{
    static const u64 places[] = {0xa0, 0xb8, 0xc0, 0xf0, 0xfec00, 0xfed00, 0xfee00, 0xfebd0, 0xb0000};
    for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
        entry_refusal(outcome, places[i], leaf, entry_make(places[i], READ_ONLY | _PAGE_PCD));
        entry_refusal(outcome, places[i], leaf, entry_make(places[i], READ_WRITE | _PAGE_PCD));
    }
}

static void impossible(struct outcome *outcome)
{
    for (unsigned int bit = 20; bit < 40; bit++) {
        entry_refusal(outcome, bit, leaf, entry_make(1ul << bit | frame_of(area), READ_WRITE));
        refusal(outcome, bit, update((1ul << bit | frame_of(leaf)) << PAGE_SHIFT, 0));
        refusal(outcome, bit, extended(MMUEXT_PIN_L1_TABLE, 1ul << bit | frame_of(leaf), 0));
        /* Bits that a frame's number in an operation has, and an address has not. */
        refusal(outcome, bit + 32,
                extended(MMUEXT_PIN_L4_TABLE, 1ul << (bit + 24) | frame_of(top_table()), 0));
    }
}

static void machphys_writes(struct outcome *outcome)
{
    fault(outcome, 1, write_faults(MACH2PHYS_VIRT_START, 0));
    fault(outcome, 2, write_faults((u64)&machine_to_phys_mapping[frame_of(area)], 0));
    fault(outcome, 3, write_faults((u64)&machine_to_phys_mapping[frame_of_other(0x100)], 0));
    fault(outcome, 4, write_faults(MACH2PHYS_VIRT_END, 0));
}

static void machphys_updates(struct outcome *outcome)
{
    static const u64 places[] = {0xfffffffff, 0xffffffff, 0x7fffffff, 0x1000000, 0xfffffffffffff};
    for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
        refusal(outcome, places[i], update(places[i] << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 0));
    EACH_OTHER(frame, 61)
        refusal(outcome, frame, update(frame << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 0));
}

/* The guest lies about a table's number: nobody may take the table for something else. */
static void machphys_lies(struct outcome *outcome)
{
    u64 frame = frame_of(leaf), truth = machine_to_phys_mapping[frame];
    if (update(frame << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 0xdeadbeefdeadbeef) == 0) {
        entry_refusal(outcome, 1, leaf, entry_make(frame, READ_WRITE));
        refusal(outcome, 2, extended(MMUEXT_PIN_L4_TABLE, frame, 0));
    } else {
        refusal(outcome, 0, -EINVAL);
    }
    update(frame << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, truth);
}

const struct attack frame_attacks[] = {
    {"frames-map-others", map_others},
    {"frames-map-others-by-address", map_others_by_address},
    {"frames-write-others", write_others},
    {"frames-pin-others", pin_others},
    {"frames-clear-others-and-tables", clear_others},
    {"frames-release-others", release_others},
    {"frames-exchange-others", exchange_others},
    {"frames-devices", devices},
    {"frames-impossible", impossible},
    {"machphys-direct-writes", machphys_writes},
    {"machphys-updates", machphys_updates},
    {"machphys-lies", machphys_lies},
    {},
};
