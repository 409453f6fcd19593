/*
 * test: front-suspend
 * A guest works on its disk, a chunk written and read back at a time, while the toolstack makes it
 * suspend, takes memory from it and gives it back, and moves the time of day. Words of the command line:
 *
 *   resumed=N, cancelled=N    goes on until it was suspended so often
 *   suspended=N               until it was suspended so often in either way
 *   pressed=N                 until it had to give memory back and got all of it again so often
 *   jumps=N                   until the time of day has jumped so often, by more than a minute
 *   seconds=N                 at the latest so long (60)
 */
#include "front.h"

#include "xg_balloon.h"
#include "xg_block.h"
#include "xg_control.h"

#define CHUNK_SECTORS 128u
#define CHUNK_WORDS (CHUNK_SECTORS * XG_SECTOR / 8)
#define MINUTE 60ull

static const struct xg_driver *const drivers[] = {&xg_block_driver};
static const struct xg_control_options obey = {.suspend = true};

static struct xg_block *block;
static uint64_t words[CHUNK_WORDS];
static uint64_t chunks, errors, wrong, jumps, pressed, clock_errors;
static bool is_pressed;

static void ready(struct xg_block *found)
{
    block = found;
}

static bool is_ready(void)
{
    return block != 0;
}

static uint64_t word_of(uint64_t chunk, unsigned int index)
{
    return (chunk * CHUNK_WORDS + index + 1) * 0x9e3779b97f4a7c15ull;
}

static bool transfer(enum xg_block_operation operation, uint64_t chunk)
{
    struct xg_block_request request = {.operation = operation,
                                       .sector = chunk * CHUNK_SECTORS % block->sectors,
                                       .count = CHUNK_SECTORS, .data = words};

    return xg_block_wait(block, &request) == 0;
}

static void work(uint64_t chunk)
{
    for (unsigned int i = 0; i < CHUNK_WORDS; i++)
        words[i] = word_of(chunk, i);
    if (!transfer(XG_BLOCK_WRITE, chunk))
        errors++;
    memset(words, 0, sizeof(words));
    if (!transfer(XG_BLOCK_READ, chunk))
        errors++;
    for (unsigned int i = 0; i < CHUNK_WORDS; i++)
        wrong += words[i] != word_of(chunk, i);
    chunks++;
}

/* Seconds since 1970 at system time zero. */
static uint64_t time_of_day(void)
{
    const volatile struct shared_info *shared = shared_info;
    uint32_t version;
    uint64_t seconds;

    do {
        version = shared->wc_version;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
        seconds = (uint64_t)WALL_CLOCK_HIGH(shared) << 32 | shared->wc_sec;
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
    } while ((version & 1) || version != shared->wc_version);
    return seconds;
}

static void watch_clocks(void)
{
    static uint64_t last_of_day, last_time;
    static unsigned int resumed;
    uint64_t of_day = time_of_day(), now = system_time();
    uint64_t moved = of_day > last_of_day ? of_day - last_of_day : last_of_day - of_day;

    if (last_of_day && moved > MINUTE)
        jumps++;
    /* A restored domain has the system time of another machine. */
    clock_errors += now < last_time && resumed == suspensions.resumed;
    resumed = suspensions.resumed;
    last_of_day = of_day;
    last_time = now;
}

static void step_balloon(void)
{
    while (xg_balloon_step())
        ;
    if (xg_balloon_now() < start_info->nr_pages)
        is_pressed = true;
    else if (is_pressed) {
        is_pressed = false;
        pressed++;
    }
}

static bool no(void)
{
    return false;
}

void test_main(void)
{
    xg_block_ready = ready;
    front_start(drivers, 1);
    if (!life_until(is_ready, 30 * SECONDS)) {
        life_check("a disk", false);
        front_end(life_end());
    }
    uint64_t resumed = life_number("resumed=", 0), cancelled = life_number("cancelled=", 0);
    uint64_t suspended = life_number("suspended=", 0);
    uint64_t wanted_jumps = life_number("jumps=", 0), wanted_pressed = life_number("pressed=", 0);
    uint64_t end = system_time() + life_number("seconds=", 60) * SECONDS;

    life_check("requests are obeyed", xg_control_start(&obey) == 0);
    if (wanted_pressed)
        life_check("a balloon", xg_balloon_start(start_info->nr_pages) == 0);
    while ((suspensions.resumed < resumed || suspensions.cancelled < cancelled ||
            suspensions.resumed + suspensions.cancelled < suspended || jumps < wanted_jumps || pressed < wanted_pressed) && system_time() < end) {
        work(chunks);
        watch_clocks();
        if (wanted_pressed)
            step_balloon();
        life_until(no, MILLISECONDS);
    }
    life_say("resumed ", life_text(suspensions.resumed), ", cancelled ",
             life_text(suspensions.cancelled), ", pressed ", life_text(pressed), ", jumps ",
             life_text(jumps), (char *)0);
    life_check("suspended as often as wanted",
               suspensions.resumed >= resumed && suspensions.cancelled >= cancelled &&
                   suspensions.resumed + suspensions.cancelled >= suspended);
    life_check("pressed as often as wanted", pressed >= wanted_pressed);
    life_check("jumps as many as wanted", jumps >= wanted_jumps);
    life_check("system time never goes back", clock_errors == 0);
    life_check("no errors", errors == 0);
    life_check("every byte as written", wrong == 0 && chunks > 0);
    front_end(life_end());
}
