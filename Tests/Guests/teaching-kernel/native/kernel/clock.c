/* The 8254 ticks; the time between ticks comes from the time stamp counter. */
#include "clock.h"

#include "cpu.h"
#include "interrupt.h"
#include "process.h"

#define TIMER_LINE 0u

#define CHANNEL_0 0x40u
#define CHANNEL_2 0x42u
#define TIMER_COMMAND 0x43u
#define CHANNEL_0_RATE 0x34u     /* both bytes, mode 2 */
#define CHANNEL_2_ONE_SHOT 0xb0u /* both bytes, mode 0 */
#define FREQUENCY 1193182u       /* Hz */

/* Port B of the keyboard's controller: gate and output of channel 2, and the speaker. */
#define CONTROL 0x61u
#define GATE 1u
#define SPEAKER 2u
#define OUTPUT 0x20u

#define MEASURED (10 * MILLISECOND)

static uint64_t started, frequency;

static void write_count(uint16_t port, uint32_t count)
{
    out8(port, (uint8_t)count);
    out8(port, (uint8_t)(count >> 8));
}

/* Counts the time stamp counter while channel 2 counts down. */
static uint64_t measure(void)
{
    uint8_t control = (uint8_t)(in8(CONTROL) & ~(GATE | SPEAKER));

    out8(CONTROL, control);
    out8(TIMER_COMMAND, CHANNEL_2_ONE_SHOT);
    write_count(CHANNEL_2, (uint32_t)(FREQUENCY * MEASURED / (1000 * MILLISECOND)));
    out8(CONTROL, control | GATE);
    uint64_t begin = read_time_stamp();
    while (!(in8(CONTROL) & OUTPUT)) {
    }
    return (read_time_stamp() - begin) * (1000 * MILLISECOND / MEASURED);
}

static void tick(unsigned int line)
{
    (void)line;
    process_tick();
}

void clock_start(void)
{
    frequency = measure();
    started = read_time_stamp();
    out8(TIMER_COMMAND, CHANNEL_0_RATE);
    write_count(CHANNEL_0, FREQUENCY / TICKS_PER_SECOND);
    interrupt_register(TIMER_LINE, tick);
}

uint64_t clock_now(void)
{
    uint64_t ticks = read_time_stamp() - started;

    /* In two parts, so that nothing overflows. */
    return ticks / frequency * (1000 * MILLISECOND) +
           ticks % frequency * (1000 * MILLISECOND) / frequency;
}
