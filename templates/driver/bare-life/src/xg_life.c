/* Words, lines and waiting. */
#include "xg_life.h"

#include <stdarg.h>

#include "xg_grant.h"
#include "xg_store.h"
#include "xg_text.h"

#define LINE 256u

void (*life_line)(const char *line) = xg_os_log;

static bool all_good = true;
static bool has_bus;

/* Words. */

/* Where a word begins on the command line, behind itself; 0: it is not there. */
static const char *find(const char *word)
{
    const char *line = life_words();

    for (const char *at = line; *at; at++) {
        if ((at == line || at[-1] == ' ') && xg_begins(at, word))
            return at + xg_length(word);
    }
    return 0;
}

bool life_has(const char *word)
{
    const char *end = find(word);

    return end && (*end == ' ' || *end == 0);
}

/* Digits, as far as they go; what would not fit stays at the most. */
static uint64_t digits(const char **text)
{
    uint64_t value = 0;

    for (; **text >= '0' && **text <= '9'; (*text)++)
        value = value > UINT64_MAX / 16 ? value : value * 10 + (uint64_t)(**text - '0');
    return value;
}

uint64_t life_number(const char *word, uint64_t otherwise)
{
    const char *text = find(word);

    return text && *text >= '0' && *text <= '9' ? digits(&text) : otherwise;
}

uint32_t life_address(const char *word, uint32_t otherwise)
{
    const char *text = find(word);
    uint32_t address = 0;

    for (unsigned int part = 0; text && part < 4; part++) {
        const char *begin = text;
        uint64_t value = digits(&text);
        if (text == begin || value > 255 || (part < 3 && *text++ != '.'))
            return otherwise;
        address = address << 8 | (uint32_t)value;
    }
    return text ? address : otherwise;
}

/* Lines. */

void life_say(const char *first, ...)
{
    char line[LINE];
    size_t filled = 0;
    va_list texts;

    va_start(texts, first);
    for (const char *text = first; text; text = va_arg(texts, const char *)) {
        for (; *text && filled + 1 < sizeof(line); text++)
            line[filled++] = *text;
    }
    va_end(texts);
    line[filled] = 0;
    life_line(line);
}

const char *life_text(uint64_t number)
{
    static char texts[8][21];
    static unsigned int next;
    char *text = texts[next++ % 8];

    xg_print_number(text, number);
    return text;
}

void life_check(const char *what, bool good)
{
    all_good = all_good && good;
    life_say(what, good ? ": yes" : ": no", (char *)0);
}

/* Life. */

int life_start(const struct xg_driver *const *drivers, size_t count)
{
    int error = xg_grants_start(8); /* frames of the grant table, 512 entries each */

    if (!error)
        error = xg_store_start();
    if (error || !count)
        return error;
    has_bus = true;
    return xg_bus_start(drivers, count);
}

bool life_until(bool (*condition)(void), uint64_t nanoseconds)
{
    uint64_t deadline = xg_os_time() + nanoseconds;

    for (;;) {
        xg_bus_poll();
        if (condition())
            return true;
        uint64_t now = xg_os_time();
        if (now >= deadline)
            return false;
        /* A second at the longest between two looks, whatever is or is not heard. */
        xg_os_wait(deadline < now + SECONDS ? deadline : now + SECONDS);
    }
}

int life_end(void)
{
    if (has_bus)
        xg_bus_stop();
    for (unsigned int i = 0; i < 50 && xg_grants_used(); i++) {
        xg_os_wait(xg_os_time() + 100 * MILLISECONDS);
        xg_grants_retry();
    }
    life_check("every grant came back", xg_grants_used() == 0);
    life_say("result: ", all_good ? "good" : "bad", (char *)0);
    return all_good ? 0 : -XEN_EIO;
}
