/*
 * Page tables. Whoever can write one, or have something else taken for one, owns the machine.
 */
#include "attacks.h"

static const unsigned int pins[] = {MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_PIN_L3_TABLE,
                                    MMUEXT_PIN_L4_TABLE};

static u64 table_frame(unsigned int level) { return frame_of(entry_of((unsigned long)area, level)); }

static void writable_by_update(struct outcome *outcome)
{
    for (unsigned int level = 1; level <= 4; level++)
        entry_refusal(outcome, level, leaf, entry_make(table_frame(level), READ_WRITE));
}

static void writable_by_address(struct outcome *outcome)
{
    u64 before = *leaf;
    for (unsigned int level = 1; level <= 4; level++)
        for (unsigned int flags = 0; flags < 8; flags++)
            refusal(outcome, level,
                    HYPERCALL(__HYPERVISOR_update_va_mapping, area,
                              entry_make(table_frame(level), READ_WRITE), flags & 7, 0, 0));
    vain(outcome, 0, *leaf == before);
}

static void writable_accessed_kept(struct outcome *outcome)
{
    for (unsigned int level = 1; level <= 4; level++)
        refusal(outcome, level,
                update(arbitrary_virt_to_machine(leaf).maddr | MMU_PT_UPDATE_PRESERVE_AD,
                       entry_make(table_frame(level), READ_WRITE)));
}

/* Read-only first, then one bit more. */
static void writable_in_two_steps(struct outcome *outcome)
{
    u64 before = *leaf;
    for (unsigned int level = 1; level <= 4; level++) {
        if (entry_write(leaf, entry_make(table_frame(level), READ_ONLY)))
            continue;
        refusal(outcome, level, entry_write(leaf, *leaf | _PAGE_RW));
        fault(outcome, level, write_faults((u64)leaf, *leaf | _PAGE_RW));
    }
    entry_write(leaf, before);
    /* Other processors may have read the one between. */
    extended(MMUEXT_INVLPG_ALL, (u64)area, 0);
}

/* The tables' own mapping is read-only; the hypervisor may emulate a write, but not these. */
static void direct_writes(struct outcome *outcome)
{
    fault(outcome, 1, write_faults((u64)leaf, entry_make(table_frame(4), READ_WRITE)));
    fault(outcome, 2, write_faults((u64)leaf, entry_make(0xfffffffff, READ_WRITE)));
    fault(outcome, 3,
          write_faults((u64)entry_of((unsigned long)area, 2), entry_make(table_frame(4), TABLE)));
    fault(outcome, 4, write_faults((u64)&top_table()[257], 0));
}

static void pin_writable(struct outcome *outcome)
{
    u64 *page = page_take();
    for (unsigned int i = 0; i < 4; i++)
        refusal(outcome, i + 1, extended(pins[i], frame_of(page), 0));
    page_give(page);
}

/* Tables that are read-only, as they should be, and have one entry each that should not be. */
static void pin_hostile_entries(struct outcome *outcome)
{
    u64 *page = page_take(), *other = page_take();
    u64 self_writable = entry_make(frame_of(page), READ_WRITE);
    u64 entries[] = {self_writable,
                     entry_make(table_frame(4), READ_WRITE),
                     entry_make(table_frame(1), READ_WRITE),
                     entry_make(frame_of_other(0x100), READ_WRITE),
                     entry_make(frame_of_other(0x100), READ_ONLY),
                     entry_make(0xfffffffff, READ_ONLY),
                     entry_make(entry_frame(top_table()[256]), READ_WRITE),
                     entry_make(frame_of(other), READ_WRITE) | 1ul << 51};
    for (unsigned int i = 0; i < ARRAY_SIZE(entries); i++)
        for (unsigned int level = 1; level <= 4; level++) {
            long answer;
            /* A first-level table in a second-level one is as it should be. */
            if (i == 2 && level == 2)
                continue;
            page[511 - i] = entries[i];
            map_page(page, READ_ONLY);
            answer = extended(pins[level - 1], frame_of(page), 0);
            refusal(outcome, i << 4 | level, answer);
            if (answer == 0)
                extended(MMUEXT_UNPIN_TABLE, frame_of(page), 0);
            map_page(page, READ_WRITE | _PAGE_NX);
            page[511 - i] = 0;
        }
    page_give(page);
    page_give(other);
}

static void pin_wrong_level(struct outcome *outcome)
{
    for (unsigned int level = 1; level <= 4; level++)
        for (unsigned int pin = 1; pin <= 4; pin++)
            if (pin != level)
                refusal(outcome, level << 4 | pin, extended(pins[pin - 1], table_frame(level), 0));
}

static void use_wrong_level(struct outcome *outcome)
{
    for (unsigned int level = 2; level <= 4; level++)
        for (unsigned int table = 1; table <= 4; table++) {
            u64 *entry = level == 4 ? &top_table()[20] : entry_of((unsigned long)area, level);
            /* Writable, so that a table in its own place is wrong as well. */
            if (table != level - 1)
                entry_refusal(outcome, level << 4 | table, entry,
                              entry_make(table_frame(table), TABLE));
        }
}

static void unpin_others(struct outcome *outcome)
{
    u64 frames[] = {table_frame(1), entry_frame(top_table()[256]), frame_of_other(0x100),
                    0xfffffffff, ~0ul, frame_of(area)};
    /* The kernel pins its first-level tables only while they are a process's. */
    for (unsigned int i = 1; i < ARRAY_SIZE(frames); i++)
        refusal(outcome, i, extended(MMUEXT_UNPIN_TABLE, frames[i], 0));
}

static void run_on_others(struct outcome *outcome)
{
    u64 frames[] = {table_frame(1), table_frame(2), table_frame(3), entry_frame(top_table()[256]),
                    frame_of_other(0x100), 0xfffffffff, ~0ul, frame_of(area)};
    for (unsigned int i = 0; i < ARRAY_SIZE(frames); i++) {
        refusal(outcome, i, extended(MMUEXT_NEW_BASEPTR, frames[i], 0));
        refusal(outcome, i, extended(MMUEXT_NEW_USER_BASEPTR, frames[i], 0));
    }
}

static void hypervisor_slots(struct outcome *outcome)
{
    u64 *top = top_table();
    for (unsigned int slot = 256; slot < 272; slot++) {
        entry_refusal(outcome, slot, &top[slot], 0);
        entry_refusal(outcome, slot, &top[slot], entry_make(table_frame(3), TABLE));
        fault(outcome, slot, write_faults((u64)&top[slot], entry_make(table_frame(3), TABLE)));
    }
}

static void hypervisor_slots_of_new(struct outcome *outcome)
{
    u64 *page = page_take(), *lower = page_take();
    map_page(lower, READ_ONLY);
    for (unsigned int slot = 256; slot < 272; slot++)
        page[slot] = entry_make(frame_of(lower), TABLE);
    map_page(page, READ_ONLY);
    /* It may be refused, or the slots overwritten. */
    if (extended(MMUEXT_PIN_L4_TABLE, frame_of(page), 0) == 0) {
        for (unsigned int slot = 256; slot < 272; slot++) {
            vain(outcome, slot, entry_frame(page[slot]) != frame_of(lower));
            entry_refusal(outcome, slot, &page[slot], entry_make(frame_of(lower), TABLE));
        }
        extended(MMUEXT_UNPIN_TABLE, frame_of(page), 0);
    } else {
        refusal(outcome, 0, -EINVAL);
    }
    page_give(page);
    page_give(lower);
}

/* The frames of the hypervisor's own tables stand in the top table. */
static void hypervisor_tables(struct outcome *outcome)
{
    u64 *top = top_table();
    for (unsigned int slot = 256; slot < 272; slot++) {
        u64 frame = entry_frame(top[slot]);
        if (!(top[slot] & _PAGE_PRESENT) || frame == frame_of(top))
            continue;
        entry_refusal(outcome, slot, leaf, entry_make(frame, READ_ONLY));
        entry_refusal(outcome, slot, leaf, entry_make(frame, READ_WRITE));
        entry_refusal(outcome, slot, &top[20], entry_make(frame, TABLE));
        for (unsigned int i = 0; i < 4; i++)
            refusal(outcome, slot, extended(pins[i], frame, 0));
        refusal(outcome, slot, update(frame << PAGE_SHIFT, 0));
        refusal(outcome, slot, extended(MMUEXT_CLEAR_PAGE, frame, 0));
        refusal(outcome, slot,
                HYPERCALL(__HYPERVISOR_update_descriptor, frame << PAGE_SHIFT, 0, 0, 0, 0));
    }
}

static void superpages(struct outcome *outcome)
{
    u64 *page = page_take();
    u64 aligned = frame_of(page) & ~511ul;
    for (unsigned int level = 2; level <= 3; level++) {
        u64 *entry = entry_of((unsigned long)area, level);
        entry_refusal(outcome, level, entry, entry_make(aligned, READ_WRITE | _PAGE_PSE));
        entry_refusal(outcome, level, entry, entry_make(aligned, READ_ONLY | _PAGE_PSE));
        entry_refusal(outcome, level, entry, entry_make(0, READ_WRITE | _PAGE_PSE));
    }
    page_give(page);
}

const struct attack table_attacks[] = {
    {"table-writable-by-update", writable_by_update},
    {"table-writable-by-address", writable_by_address},
    {"table-writable-accessed-kept", writable_accessed_kept},
    {"table-writable-in-two-steps", writable_in_two_steps},
    {"table-direct-writes", direct_writes},
    {"table-pin-writable", pin_writable},
    {"table-pin-hostile-entries", pin_hostile_entries},
    {"table-pin-wrong-level", pin_wrong_level},
    {"table-use-wrong-level", use_wrong_level},
    {"table-unpin-others", unpin_others},
    {"table-run-on-others", run_on_others},
    {"table-hypervisor-slots", hypervisor_slots},
    {"table-hypervisor-slots-of-new", hypervisor_slots_of_new},
    {"table-hypervisor-tables", hypervisor_tables},
    {"table-superpages", superpages},
    {},
};
