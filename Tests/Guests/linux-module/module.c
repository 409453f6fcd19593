/*
 * A module for Debian's kernel that attacks the hypervisor below it: every attack one line, `attack:
 * NAME: refused (-N)`, `faulted`, `in vain` where it is taken and changes nothing, or SUCCEEDED where
 * the guest has what it must not have. With deadly=NAME it runs one that ends the domain instead.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <xen/xen.h>

#include "attacks.h"

static char *deadly;
module_param(deadly, charp, 0);
unsigned int self = 1;
module_param(self, uint, 0);

const u64 bad_addresses[BAD_ADDRESSES] = {
    HYPERVISOR_IMAGE, HYPERVISOR_HEAP, HYPERVISOR_VIRT_END - 8, 0xffff820000000000ul,
    NOT_CANONICAL,    NOT_CANONICAL_FAR, NOWHERE,               ~0ul,
};

void *area;
u64 *leaf;

static void granted(struct outcome *outcome, u64 which, long answer)
{
    if (outcome->granted++ == 0) {
        outcome->which = which;
        outcome->answer = answer;
    }
}

void refusal(struct outcome *outcome, u64 which, long answer)
{
    if (answer >= 0)
        granted(outcome, which, answer);
    else if (outcome->refused++ == 0)
        outcome->error = answer;
}

void fault(struct outcome *outcome, u64 which, bool faulted)
{
    if (faulted)
        outcome->faulted++;
    else
        granted(outcome, which, 0);
}

void vain(struct outcome *outcome, u64 which, bool unchanged)
{
    if (unchanged)
        outcome->vain++;
    else
        granted(outcome, which, 0);
}

u64 *top_table(void) { return (u64 *)current->active_mm->pgd; }

u64 *entry_of(unsigned long address, unsigned int level)
{
    pgd_t *fourth = pgd_offset_pgd(current->active_mm->pgd, address);
    pud_t *third;
    pmd_t *second;

    if (level == 4)
        return (u64 *)fourth;
    third = pud_offset(p4d_offset(fourth, address), address);
    if (level == 3)
        return (u64 *)third;
    second = pmd_offset(third, address);
    return level == 2 ? (u64 *)second : (u64 *)pte_offset_kernel(second, address);
}

u64 *page_take(void) { return (u64 *)get_zeroed_page(GFP_KERNEL | __GFP_NOFAIL); }

void page_give(u64 *page)
{
    if (map_page(page, READ_WRITE | _PAGE_NX) == 0)
        free_page((unsigned long)page);
    else
        pr_err("attacks: a page is lost\n");
}

static void run(const struct attack *attack)
{
    for (; attack->name; attack++) {
        struct outcome outcome = {};
        unsigned int attempts;

        attack->run(&outcome);
        attempts = outcome.refused + outcome.faulted + outcome.vain + outcome.granted;
        if (outcome.granted)
            pr_info("attack: %s: SUCCEEDED for %llx with %ld, %u of %u\n", attack->name,
                    outcome.which, outcome.answer, outcome.granted, attempts);
        else if (outcome.refused)
            pr_info("attack: %s: refused (%ld), %u times, %u in vain\n", attack->name,
                    outcome.error, attempts, outcome.vain);
        else if (outcome.faulted)
            pr_info("attack: %s: faulted, %u times, %u in vain\n", attack->name, attempts,
                    outcome.vain);
        else if (outcome.vain)
            pr_info("attack: %s: in vain, %u times\n", attack->name, attempts);
        else
            pr_info("attack: %s: nothing to attack\n", attack->name);
        cond_resched();
    }
}

static int __init attacks_init(void)
{
    if (!xen_pv_domain())
        return -ENODEV;
    if (deadly) {
        pr_emerg("deadly: %s: begins\n", deadly);
        run_deadly(deadly);
        pr_emerg("deadly: %s: survived\n", deadly);
        return 0;
    }
    area = vmalloc(16 * PAGE_SIZE);
    if (!area || frames_begin())
        return -ENOMEM;
    vm_unmap_aliases();
    memset(area, 0, 16 * PAGE_SIZE);
    leaf = entry_of((unsigned long)area, 1);
    run(table_attacks);
    run(frame_attacks);
    run(pointer_attacks);
    run(domain_attacks);
    run(call_attacks);
    run(descriptor_attacks);
    run(register_attacks);
    run(entry_attacks);
    frames_end();
    vfree(area);
    pr_info("attacks: done\n");
    return 0;
}
module_init(attacks_init);

static void __exit attacks_exit(void) {}
module_exit(attacks_exit);

MODULE_LICENSE("Dual MIT/GPL");
MODULE_DESCRIPTION("Attacks on the hypervisor below");
