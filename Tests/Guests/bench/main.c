/*
 * bench
 * What a hypervisor's paths cost: instructions for each operation, out of the time-stamp counter,
 * which counts instructions under QEMU's -icount shift=0. Prints `bench: NAME NUMBER`, or
 * `bench: NAME none` where the hypervisor does not offer the operation. This is no conformance
 * test: its lines are figures. .ci/bench-hypervisors makes the tables. The command line
 * `only=NAME` leaves one row, for a profile. With `rate=` it is another measurement: rate.h.
 */
#include "entries.h"
#include "rate.h"

#define SAMPLES 31

static uint64_t samples[SAMPLES];
/* A call that an operation makes while it is measured has failed. */
static long failed;

static void report(const char *name)
{
    if (failed)
        failure("%s: a call answers %E", name, failed);
    failed = 0;
    for (unsigned int i = 1; i < SAMPLES; i++)
        for (unsigned int j = i; j && samples[j] < samples[j - 1]; j--) {
            uint64_t larger = samples[j - 1];
            samples[j - 1] = samples[j];
            samples[j] = larger;
        }
    print("bench: %s %lu\n", name, samples[SAMPLES / 2]);
}

static void report_none(const char *name)
{
    print("bench: %s none\n", name);
}

static bool is_wanted(const char *name)
{
    const char *line = (const char *)start_info->cmd_line;
    return strncmp(line, "only=", 5) != 0 || strcmp(line + 5, name) == 0;
}

/*
 * Runs an operation `count` times for each sample, the first of them for warming up, and prints the
 * median of the samples. The timer's ticks reach a few samples and so not the median. `round` counts
 * the operations.
 */
#define MEASURE(name, count, operation...)                                                           \
    for (unsigned int sample = 0; is_wanted(name) && sample <= SAMPLES; sample++) {                \
        uint64_t start = read_tsc();                                                               \
        for (unsigned int round = 0; round < (count); round++) {                                   \
            operation;                                                                             \
        }                                                                                          \
        uint64_t ticks = read_tsc() - start;                                                       \
        if (sample)                                                                                \
            samples[sample - 1] = (ticks + (count) / 2) / (count);                                 \
        if (sample == SAMPLES)                                                                     \
            report(name);                                                                          \
    }

static void set_callback(uint16_t type, const char *entry)
{
    struct callback_register request = {.type = type, .address = ENTRY_POINT(entry)};
    failed |= HYPERVISOR_callback_op(CALLBACKOP_register, &request);
}

static void set_trap(uint8_t vector, uint8_t flags, unsigned long entry)
{
    struct trap_info table[2] = {
        {.vector = vector, .flags = flags, .cs = FLAT_KERNEL_CS, .address = entry}};
    failed |= HYPERVISOR_set_trap_table(table);
}

static void measure_hypercall(void)
{
    MEASURE("null-hypercall", 64, HYPERVISOR_xen_version(XENVER_version, 0));
}

static void measure_event(void)
{
    long port = bind_ipi(0);
    if (port < 0)
        return report_none("event-to-self");
    first_upcall_keep = ~(1ul << port);
    set_callback(CALLBACKTYPE_event, first_upcall);
    port_unmask((evtchn_port_t)port);
    events_enable();
    struct evtchn_send send = {.port = (evtchn_port_t)port};
    first_upcall_count = 0;
    uint32_t sent = 0;
    MEASURE("event-to-self", 64, {
        failed |= HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
        sent++;
    });
    if (first_upcall_count < sent)
        failure("%u events, %u upcalls", sent, first_upcall_count);
    events_disable();
    port_close((evtchn_port_t)port);
}

/* Two ordinary pages take turns in the entry, so that each update drops one and takes the other. */
static void measure_updates(void)
{
    enum { BATCH = 32 };
    static struct mmu_update updates[2][BATCH];
    const uintptr_t address = FREE_ADDRESS;
    pte_t pages[2];
    for (unsigned int which = 0; which < 2; which++)
        pages[which] = pte_make(mfn_of(page_alloc()), PTE_READ_WRITE);
    if (map(address, pages[0]))
        panic("no page table for the updates");
    uint64_t entries = machine_address(entry_of(top_table(), address, 1));
    for (unsigned int which = 0; which < 2; which++)
        for (unsigned int index = 0; index < BATCH; index++) {
            updates[which][index].ptr = entries + 8 * index;
            updates[which][index].val = pages[which];
        }
    MEASURE("mmu-update-1", 64,
            failed |= HYPERVISOR_mmu_update(updates[~round & 1], 1, 0, DOMID_SELF));
    MEASURE("mmu-update-32", 16,
            failed |= HYPERVISOR_mmu_update(updates[~round & 1], BATCH, 0, DOMID_SELF));
    MEASURE("update-va-mapping", 64,
            failed |= HYPERVISOR_update_va_mapping(address, pages[~round & 1], UVMF_INVLPG));
}

/* A table of 512 writable pages, from the far end of the guest's memory. */
static void measure_pin(void)
{
    pte_t *table = page_alloc();
    for (unsigned int index = 0; index < 512; index++)
        table[index] = pte_make(mfn_of_pfn(start_info->nr_pages - 1 - index), PTE_READ_WRITE);
    page_read_only(table);
    mfn_t frame = mfn_of(table);
    MEASURE("pin-unpin-512", 2, {
        failed |= mmuext_frame(MMUEXT_PIN_L1_TABLE, frame);
        failed |= mmuext_frame(MMUEXT_UNPIN_TABLE, frame);
    });
}

static void measure_page_fault(void)
{
    set_trap(VECTOR_PF, XEN_TRAP_MASK_EVENTS, (unsigned long)skip_fault);
    /* movl (%eax or %rax), %edx with a prefix for DS: 3 bytes on both widths. */
    MEASURE("page-fault", 64,
            __asm__ volatile(".byte 0x3e, 0x8b, 0x10" : : "a"(UNMAPPED_ADDRESS) : DX, "memory"));
    set_trap(VECTOR_PF, XEN_TRAP_MASK_EVENTS, trap_entries[VECTOR_PF]);
}

/* Counts from the first system call to the last but one; the low halves of the counter are enough. */
USER_CODE(system_calls, "movl $64, %ebx; xorl %eax, %eax; " SYSTEM_CALL "\n"
                        "rdtsc; movl %eax, %esi; xorl %eax, %eax\n"
                        "1: " SYSTEM_CALL "; decl %ebx; jnz 1b\n"
                        "rdtsc; subl %esi, %eax; movl %eax, %esi\n"
                        "movl $1, %eax; " SYSTEM_CALL "; ud2");

static void measure_system_call(void)
{
    user_initialise();
    set_callback(CALLBACKTYPE_event, event_entry);
#ifdef __x86_64__
    set_callback(CALLBACKTYPE_syscall, answer_syscall);
#else
    set_trap(0x80, 3, (unsigned long)answer_syscall);
#endif
    for (unsigned int sample = 0; is_wanted("system-call") && sample < SAMPLES; sample++) {
        struct trap_frame frame = user_frame(system_calls);
        user_run(&frame);
        if (frame.vector != ENTRY_SYSCALL)
            failure("user mode ended by %F", FAULT(frame.vector, frame.error_code));
        samples[sample] = ((uint32_t)frame.rsi + 32) / 64;
    }
    if (is_wanted("system-call"))
        report("system-call");
}

static void measure_emulation(void)
{
    MEASURE("emulated-cpuid", 64, {
        uint32_t leaf = 1, subleaf = 0;
        __asm__ volatile(".byte 0x0f, 0x0b, 0x78, 0x65, 0x6e; cpuid"
                         : "+a"(leaf), "+c"(subleaf) : : BX, DX);
    });
    MEASURE("emulated-read-cr0", 64, {
        unsigned long value;
        __asm__ volatile("mov %%cr0, %0" : "=a"(value));
    });
}

/*
 * A deadline that is past already: the timer fires at once, so no waiting is counted. The loop ends
 * with the upcall.
 */
static void measure_timer(void)
{
    long port = bind_virq(VIRQ_TIMER, 0);
    if (port < 0 || HYPERVISOR_set_timer_op(0) == -XEN_ENOSYS)
        return report_none("one-shot-timer");
    first_upcall_keep = ~(1ul << port);
    set_callback(CALLBACKTYPE_event, first_upcall);
    port_unmask((evtchn_port_t)port);
    events_enable();
    MEASURE("one-shot-timer", 64, {
        uint32_t before = first_upcall_count;
        failed |= HYPERVISOR_set_timer_op(1);
        while (first_upcall_count == before)
            ;
    });
    events_disable();
    port_close((evtchn_port_t)port);
}

static volatile uint32_t turns;
static struct evtchn_send answer;

/* Vcpu 1: answers each event of vcpu 0 and blocks. Blocking unmasks events in the same step. */
static void answer_events(void)
{
    for (;;) {
        HYPERVISOR_sched_op(SCHEDOP_block, 0, 0);
        shared_info->vcpu_info[1].evtchn_upcall_mask = 1;
        turns++;
        HYPERVISOR_event_channel_op(EVTCHNOP_send, &answer);
    }
}

static bool start_second(void)
{
    static struct vcpu_guest_context context;
    static uint8_t stack[2 * PAGE_SIZE] __attribute__((aligned(16)));
    context_prepare(&context, (uintptr_t)answer_events, (uintptr_t)(stack + sizeof(stack)), 0x202);
    context.event_callback_eip = (uintptr_t)second_upcall;
    return HYPERVISOR_vcpu_op(VCPUOP_initialise, 1, &context) == 0 &&
           HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 1, 0) == 0 &&
           HYPERVISOR_vcpu_op(VCPUOP_up, 1, 0) == 0;
}

/* There and back are two switches, each with the event sent, the block and the upcall. */
static void measure_switch(void)
{
    long to_first = bind_ipi(0), to_second = bind_ipi(1);
    if (to_first < 0 || to_second < 0)
        return report_none("vcpu-switch");
    first_upcall_keep = ~(1ul << to_first);
    second_upcall_keep = ~(1ul << to_second);
    set_callback(CALLBACKTYPE_event, first_upcall);
    port_unmask((evtchn_port_t)to_first);
    port_unmask((evtchn_port_t)to_second);
    answer.port = (evtchn_port_t)to_first;
    if (!start_second())
        return report_none("vcpu-switch");
    struct evtchn_send send = {.port = (evtchn_port_t)to_second};
    uint32_t rounds = 0;
    turns = 0;
    MEASURE("vcpu-switch", 64, {
        if (!(round & 1)) {
            events_disable();
            failed |= HYPERVISOR_event_channel_op(EVTCHNOP_send, &send);
            failed |= HYPERVISOR_sched_op(SCHEDOP_block, 0, 0);
            rounds++;
        }
    });
    events_disable();
    if (turns != rounds)
        failure("%u events, %u answers", rounds, turns);
    HYPERVISOR_vcpu_op(VCPUOP_down, 1, 0);
}

void test_main(void)
{
    HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, 0);
    const char *line = (const char *)start_info->cmd_line;
    if (strncmp(line, "rate=", 5) == 0)
        return measure_rate(line + 5);
    measure_hypercall();
    measure_event();
    measure_updates();
    measure_pin();
    measure_page_fault();
    measure_system_call();
    measure_emulation();
    measure_timer();
    measure_switch();
}
