/* Takes the place of a generated kernel's main.c: starts the kernel, and a test in place of its show. */
#include "domain.h"
#include "events.h"
#include "front.h"
#include "pages.h"
#include "traps.h"

#include <stdarg.h>

#include "xg_store.h"
#include "xg_text.h"

static bool all_good = true;

void say(const char *first, ...)
{
    va_list texts;

    va_start(texts, first);
    for (const char *text = first; text; text = va_arg(texts, const char *))
        print("%s", text);
    va_end(texts);
    print("\n");
}

const char *number_text(uint64_t value)
{
    static char texts[8][21];
    static unsigned int next;
    char *text = texts[next++ % 8];

    xg_print_number(text, value);
    return text;
}

void say_check(const char *what, bool good)
{
    all_good = all_good && good;
    say(what, good ? ": yes" : ": no", (char *)0);
}

void front_start(const struct xg_driver *const *drivers, size_t count)
{
    int error = xg_grants_start(8);

    if (!error)
        error = xg_store_start();
    if (!error)
        error = xg_bus_start(drivers, count);
    if (error)
        panic("the frontends cannot be started: %d", error);
}

void front_end(void)
{
    say("result: ", all_good ? "good" : "bad", (char *)0);
    domain_end(all_good ? SHUTDOWN_poweroff : SHUTDOWN_crash);
}

/* Where a word begins on the command line, behind itself; 0: it is not there. */
static const char *option_find(const char *word)
{
    const char *line = (const char *)start_info->cmd_line;

    for (const char *at = line; *at; at++) {
        if ((at == line || at[-1] == ' ') && xg_begins(at, word))
            return at + xg_length(word);
    }
    return 0;
}

bool option_given(const char *word)
{
    const char *end = option_find(word);
    return end && (*end == ' ' || *end == 0);
}

uint64_t option_number(const char *word, uint64_t otherwise)
{
    const char *digits = option_find(word);
    uint64_t value = 0;

    if (!digits || *digits < '0' || *digits > '9')
        return otherwise;
    for (; *digits >= '0' && *digits <= '9'; digits++)
        value = value * 10 + (uint64_t)(*digits - '0');
    return value;
}

bool front_until(bool (*condition)(void), uint64_t nanoseconds)
{
    uint64_t deadline = system_time() + nanoseconds;

    for (;;) {
        xg_bus_poll();
        if (condition())
            return true;
        uint64_t now = system_time();
        if (now >= deadline)
            return false;
        xg_os_wait(deadline < now + SECONDS ? deadline : now + SECONDS);
    }
}

static void tick(void)
{
}

/* Called by start.S. Events stay masked but while xg_os_wait sleeps. */
__attribute__((noreturn)) void kernel_main(struct start_info *info);
void kernel_main(struct start_info *info)
{
    domain_start(info);
    events_start();
    traps_start();
    pages_start();
    console_start();
    clock_start(tick);
    events_disable();
    test_main();
    front_end();
}
