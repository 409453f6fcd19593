/*
 * test: crowd
 * One of many domains at once: each prints, computes, sends itself events, sleeps and powers off. A
 * hypervisor that forgets one of them lets it starve: of the time between its first line and its last
 * each must run for about as long as the others. Command line: seconds=N, and figures to print how
 * many milliseconds of running time it had, which .ci/crowd compares.
 */
#include "guest.h"

static volatile unsigned int taken;

static void handle(evtchn_port_t port)
{
    taken++;
}

static uint64_t option(const char *name, uint64_t value)
{
    size_t length = strlen(name);
    for (const char *line = (const char *)start_info->cmd_line; *line; line++) {
        const char *digit = line + length;
        if (strncmp(line, name, length) || *digit < '0' || *digit > '9')
            continue;
        for (value = 0; *digit >= '0' && *digit <= '9'; digit++)
            value = value * 10 + (uint64_t)(*digit - '0');
        return value;
    }
    return value;
}

static bool has_word(const char *word)
{
    for (const char *line = (const char *)start_info->cmd_line; *line; line++)
        if (!strncmp(line, word, strlen(word)))
            return true;
    return false;
}

/* The sum of the first numbers, the long way. */
static bool sum_is_right(uint64_t count)
{
    volatile uint64_t sum = 0;
    for (uint64_t number = 1; number <= count; number++)
        sum += number;
    return sum == count * (count + 1) / 2;
}

void test_main(void)
{
    struct vcpu_runstate_info info = {0};
    set_event_handler(handle);
    evtchn_port_t port = (evtchn_port_t)bind_ipi(0);
    port_unmask(port);
    events_enable();
    uint64_t end = system_time() + option("seconds=", 1) * SECONDS;
    unsigned int sent = 0;
    bool right = true;
    while (system_time() < end) {
        right &= sum_is_right(20000);
        port_send(port);
        sent++;
        if (sent % 64 == 0) {
            struct sched_poll poll = {.timeout = system_time() + MILLISECONDS};
            HYPERVISOR_sched_op(SCHEDOP_poll, &poll, 0);
        }
    }
    expect_true("every sum was right", right);
    expect_true("every event was taken", sent == taken);
    expect_true("it had its turns", sent > 0);
    HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &info);
    if (has_word("figures"))
        print("milliseconds: %lu\n", info.time[RUNSTATE_running] / MILLISECONDS);
    events_disable();
}
