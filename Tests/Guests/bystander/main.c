/*
 * test: bystander
 * Computes while another domain attacks: fills its own memory with a sequence whose checksum is
 * known, sums it up and looks at every word, again and again, for some seconds of system time. At
 * the end it tells whether all of that was right, and whether it had its share of the processor:
 * running time out of its runstate against system time, in windows of 100 ms. Alone it should have
 * all, beside one that never sleeps half; ten points less are allowed, in any half second. Command
 * line: seconds=N, share=PERCENT, and windows to print what was counted.
 */
#include "guest.h"

#define WORDS (64 * PAGE_SIZE / sizeof(uint64_t))
#define WINDOW (100 * MILLISECONDS)
#define WINDOWS 600
#define ROW 5 /* Half a second. */

static uint64_t memory[WORDS];
static uint8_t shares[WINDOWS];

static uint64_t option(const char *name, uint64_t value)
{
    const char *line = (const char *)start_info->cmd_line;
    size_t length = strlen(name);
    for (; *line; line++) {
        if (strncmp(line, name, length))
            continue;
        value = 0;
        for (line += length; *line >= '0' && *line <= '9'; line++)
            value = value * 10 + (uint64_t)(*line - '0');
        break;
    }
    return value;
}

/* One round with a factor of its own; the sum of factor * i is factor * n * (n - 1) / 2. */
static bool round_is_right(uint64_t factor)
{
    volatile uint64_t *words = memory;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < WORDS; i++)
        words[i] = factor * i;
    for (uint64_t i = 0; i < WORDS; i++)
        sum += words[i];
    return sum == factor * (WORDS * (WORDS - 1) / 2);
}

static uint64_t running_time(void)
{
    struct vcpu_runstate_info info = {0};
    if (HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &info))
        panic("no runstate");
    return info.time[RUNSTATE_running];
}

void test_main(void)
{
    struct vcpu_runstate_info info;
    if (HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &info) == -XEN_ENOSYS) {
        skip("no runstate to tell the share");
        return;
    }
    uint64_t seconds = option("seconds=", 3), wanted = option("share=", 40);
    unsigned int windows = 0;
    uint64_t rounds = 0, wrong = 0;
    uint64_t begin = system_time(), start = begin, ran = running_time(), all = ran;
    while (windows < WINDOWS && start - begin < seconds * SECONDS) {
        wrong += !round_is_right(random_next() | 1);
        rounds++;
        uint64_t now = system_time();
        if (now - start < WINDOW)
            continue;
        uint64_t running = running_time();
        uint64_t share = (running - ran) * 100 / (now - start);
        shares[windows++] = (uint8_t)(share > 200 ? 200 : share);
        start = now;
        ran = running;
    }
    uint64_t share = (ran - all) * 100 / (start - begin);
    unsigned int least = 100;
    for (unsigned int i = 0; i + ROW <= windows; i++) {
        unsigned int sum = 0;
        for (unsigned int j = 0; j < ROW; j++)
            sum += shares[i + j];
        if (sum / ROW < least)
            least = sum / ROW;
    }
    if (option("windows", 1) == 0) {
        print("rounds: %lu\nshare: %lu\nleast: %u\nwindows:", rounds, share, least);
        for (unsigned int i = 0; i < windows; i++)
            print(" %u", shares[i]);
        print("\n");
    }
    expect_true("every checksum was right", rounds > 0 && wrong == 0);
    expect_true("windows enough to judge", windows >= 2 * ROW || seconds < 1);
    expect_true("the share was right", least >= wanted && share <= 101);
}
