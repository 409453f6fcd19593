/*
 * Calls that are not for guests, that do not exist, or that hide in others.
 */
#include "attacks.h"

#include <xen/interface/physdev.h>
#include <xen/interface/sched.h>
#include <xen/interface/vcpu.h>
#include <xen/interface/version.h>

#define ROOTSTOCK_CONTROL __HYPERVISOR_arch_7

static void control(struct outcome *outcome)
{
    static const domid_t domains[] = {0, 1, 2, 77, 0x7ff0, 0x8000, 0xffff};
    static const u64 values[] = {0, 1, ~0ul, 1ul << 40, 1ul << 63};
    for (unsigned int operation = 0x100; operation <= 0x140; operation++) {
        for (unsigned int i = 0; i < ARRAY_SIZE(domains); i++)
            for (unsigned int j = 0; j < ARRAY_SIZE(values); j++) {
                u64 argument[8] = {domains[i], values[j], values[j]};
                refusal(outcome, operation,
                        HYPERCALL(ROOTSTOCK_CONTROL, operation, argument, 0, 0, 0));
            }
        for (unsigned int i = 0; i < BAD_ADDRESSES; i++)
            refusal(outcome, operation,
                    HYPERCALL(ROOTSTOCK_CONTROL, operation, bad_addresses[i], 0, 0, 0));
    }
}

/* Operations of a toolstack: the number, the interface's version, the domain. */
static void toolstack(struct outcome *outcome)
{
    static const unsigned int calls[] = {__HYPERVISOR_domctl, __HYPERVISOR_sysctl,
                                         __HYPERVISOR_platform_op};
    for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
        for (u32 operation = 0; operation < 90; operation++) {
            u32 argument[64] = {operation, 0x15, operation & 1};
            refusal(outcome, operation, HYPERCALL(calls[i], argument, 0, 0, 0, 0));
        }
}

static void for_privileged(struct outcome *outcome)
{
    static const unsigned int calls[] = {__HYPERVISOR_xsm_op,      __HYPERVISOR_xenoprof_op,
                                         __HYPERVISOR_hvm_op,      __HYPERVISOR_kexec_op,
                                         __HYPERVISOR_tmem_op,     __HYPERVISOR_dm_op,
                                         __HYPERVISOR_arch_0};
    for (unsigned int i = 0; i < ARRAY_SIZE(calls); i++)
        for (unsigned int operation = 0; operation < 16; operation++) {
            u64 argument[32] = {};
            refusal(outcome, calls[i], HYPERCALL(calls[i], operation, argument, argument, 0, 0));
            refusal(outcome, calls[i],
                    HYPERCALL(calls[i], operation, HYPERVISOR_IMAGE, HYPERVISOR_IMAGE, 0, 0));
        }
}

static void devices(struct outcome *outcome)
{
    for (unsigned int operation = 8; operation < 64; operation++) {
        u64 argument[16] = {};
        /* Told to everybody, or nothing but a hint. */
        if (operation == PHYSDEVOP_eoi || operation == PHYSDEVOP_irq_status_query)
            continue;
        refusal(outcome, operation, HYPERCALL(__HYPERVISOR_physdev_op, operation, argument, 0, 0, 0));
    }
}

/* By the instruction itself: the stubs of the kernel's page end at 127. */
static void numbers(struct outcome *outcome)
{
    static const u64 far[] = {128, 0x1000, 0x7fffffff, 0x80000000, 0xffffffff};
    for (unsigned int number = 56; number < 128; number++)
        refusal(outcome, number, HYPERCALL(number, 0, 0, 0, 0, 0));
    for (unsigned int i = 0; i < ARRAY_SIZE(far); i++) {
        long answer = far[i];
        asm volatile("syscall" : "+a"(answer) : : "rcx", "r11", "memory");
        refusal(outcome, far[i], (int)answer);
    }
}

static long listed(u64 call, u64 one, u64 two, u64 three)
{
    struct multicall_entry list[2] = {{.op = call, .args = {one, two, three, DOMID_SELF}}};
    long answer = HYPERCALL(__HYPERVISOR_multicall, list, 1, 0, 0, 0);
    return answer ? answer : list[0].result;
}

static void multicalls(struct outcome *outcome)
{
    static struct multicall_entry nested[1];
    struct multicall_entry *endless = (struct multicall_entry *)(area + 16 * PAGE_SIZE) - 64;
    struct mmu_update one = {.ptr = arbitrary_virt_to_machine(leaf).maddr,
                             .val = entry_make(frame_of(top_table()), READ_WRITE)};
    nested[0] = (struct multicall_entry){.op = __HYPERVISOR_multicall, .args = {(u64)nested, 1}};
    HYPERCALL(__HYPERVISOR_multicall, nested, 1, 0, 0, 0);
    refusal(outcome, 1, nested[0].result);
    refusal(outcome, 2, listed(__HYPERVISOR_mmu_update, (u64)&one, 1, 0));
    refusal(outcome, 3, listed(__HYPERVISOR_set_gdt, HYPERVISOR_IMAGE, 512, 0));
    refusal(outcome, 4, listed(__HYPERVISOR_memory_op, XENMEM_exchange, HYPERVISOR_HEAP, 0));
    refusal(outcome, 5, listed(ROOTSTOCK_CONTROL, 0x100, HYPERVISOR_HEAP, 0));
    refusal(outcome, 6, listed(1ul << 32 | __HYPERVISOR_xen_version, XENVER_version, 0, 0));
    refusal(outcome, 7, listed(127, 0, 0, 0));
    refusal(outcome, 8, listed(~0ul, 0, 0, 0));
    refusal(outcome, 9, HYPERCALL(__HYPERVISOR_multicall, leaf, 1, 0, 0, 0));
    /* More than there are: behind the area nothing is mapped. */
    for (unsigned int i = 0; i < 64; i++)
        endless[i] = (struct multicall_entry){.op = __HYPERVISOR_xen_version};
    refusal(outcome, 10, HYPERCALL(__HYPERVISOR_multicall, endless, 0xffffffff, 0, 0, 0));
}

static void vcpus(struct outcome *outcome)
{
    static const u32 bad[] = {32, 77, 4096, 0x7fffffff, 0x80000000, ~0u};
    static u64 argument[512];
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++)
        for (unsigned int operation = 0; operation < 16; operation++)
            refusal(outcome, bad[i],
                    HYPERCALL(__HYPERVISOR_vcpu_op, operation, bad[i], argument, 0, 0));
    for (unsigned int operation = 16; operation < 64; operation++)
        refusal(outcome, operation,
                HYPERCALL(__HYPERVISOR_vcpu_op, operation, 0, argument, 0, 0));
    /* Its place, once more and in a frame of somebody else's. */
    for (unsigned int i = 0; i < 2; i++) {
        struct vcpu_register_vcpu_info info = {
            .mfn = i ? frame_of_other(0x100) : entry_frame(top_table()[256])};
        refusal(outcome, i,
                HYPERCALL(__HYPERVISOR_vcpu_op, VCPUOP_register_vcpu_info, 0, &info, 0, 0));
    }
}

static void scheduling(struct outcome *outcome)
{
    static evtchn_port_t ports[1] = {~0u};
    struct sched_poll poll = {.nr_ports = 1};
    struct sched_watchdog watchdog = {.id = 77, .timeout = 1};
    set_xen_guest_handle(poll.ports, ports);
    refusal(outcome, 1, HYPERCALL(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll, 0, 0, 0));
    poll.nr_ports = ~0u;
    refusal(outcome, 2, HYPERCALL(__HYPERVISOR_sched_op, SCHEDOP_poll, &poll, 0, 0, 0));
    refusal(outcome, 3, HYPERCALL(__HYPERVISOR_sched_op, SCHEDOP_watchdog, &watchdog, 0, 0, 0));
    for (unsigned int operation = 7; operation < 64; operation++)
        refusal(outcome, operation,
                HYPERCALL(__HYPERVISOR_sched_op, operation, HYPERVISOR_IMAGE, 0, 0, 0));
}

static void commands(struct outcome *outcome)
{
    for (unsigned int command = 21; command < 64; command++)
        refusal(outcome, command, extended(command, (u64)area, (u64)area));
    refusal(outcome, 64, extended(0x80000000, 0, 0));
    refusal(outcome, 65, extended(~0u, 0, 0));
    for (unsigned int operation = 30; operation < 64; operation++)
        refusal(outcome, operation,
                HYPERCALL(__HYPERVISOR_memory_op, operation, HYPERVISOR_IMAGE, 0, 0, 0));
    for (unsigned int operation = 14; operation < 40; operation++) {
        refusal(outcome, operation | __HYPERVISOR_grant_table_op << 16,
                HYPERCALL(__HYPERVISOR_grant_table_op, operation, HYPERVISOR_IMAGE, 1, 0, 0));
        refusal(outcome, operation | __HYPERVISOR_event_channel_op << 16,
                HYPERCALL(__HYPERVISOR_event_channel_op, operation, HYPERVISOR_IMAGE, 0, 0, 0));
        /* The one that hides the table from frames to numbers from user mode is 32. */
        if (operation != 32)
            refusal(outcome, operation | __HYPERVISOR_vm_assist << 16,
                    HYPERCALL(__HYPERVISOR_vm_assist, 0, operation, 0, 0, 0));
    }
}

const struct attack call_attacks[] = {
    {"calls-control", control},     {"calls-toolstack", toolstack},
    {"calls-privileged", for_privileged}, {"calls-devices", devices},
    {"calls-numbers", numbers},     {"calls-multicalls", multicalls},
    {"calls-vcpus", vcpus},         {"calls-scheduling", scheduling},
    {"calls-commands", commands},   {},
};
