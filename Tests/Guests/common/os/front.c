/* Printing, options and ends of guests with frontends. */
#include "front.h"

static bool has_console;

const char *life_words(void)
{
    return (const char *)start_info->cmd_line;
}

static void line_on_both(const char *line)
{
    uint64_t deadline = system_time() + SECONDS;

    print("%s\n", line);
    if (!has_console)
        return;
    xg_console_write_all(line, xg_length(line), deadline);
    xg_console_write_all("\r\n", 2, deadline);
}

void front_console(void)
{
    has_console = xg_console_start(0, 0) == 0;
    life_line = line_on_both;
}

void front_start(const struct xg_driver *const *drivers, size_t count)
{
    front_console();
    int error = life_start(drivers, count);
    if (error)
        front_end(error);
}

void front_end(int result)
{
    if (result == -XEN_ENODEV) {
        skip("there is no xenstore here");
        life_say("start: no xenstore", (char *)0);
    } else if (result == -XEN_EIO) {
        failure("a check failed");
    } else if (result) {
        failure("the frontends cannot be started: %E", (long)result);
        life_say("start: failed", (char *)0);
    }
    xg_os_wait(system_time() + SECONDS / 5); /* the daemon reads the last lines */
    report_and_end();
}
