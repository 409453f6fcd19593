/*
 * test: front-console
 * A guest prints on the page that it shares with the console daemon, more than the ring holds, so
 * that it must wait for the daemon; what is typed comes back in capitals if the command line says
 * "echo=SECONDS".
 */
#include "front.h"

static bool never(void)
{
    char text[64];
    int count = xg_console_read(text, sizeof(text));

    for (int i = 0; i < count; i++) {
        if (text[i] >= 'a' && text[i] <= 'z')
            text[i] = (char)(text[i] - 'a' + 'A');
    }
    if (count > 0)
        xg_console_write_all(text, (size_t)count, system_time() + SECONDS);
    return false;
}

void test_main(void)
{
    int result = 0;

    front_start(0, 0);
    for (unsigned int line = 0; line < 200 && result == 0; line++) {
        const char *number = life_text(line);
        uint64_t deadline = system_time() + 5 * SECONDS;
        result = xg_console_write_all("line ", 5, deadline);
        if (!result)
            result = xg_console_write_all(number, xg_length(number), deadline);
        if (!result)
            result = xg_console_write_all("\r\n", 2, deadline);
    }
    life_check("200 lines", result == 0);
    life_until(never, life_number("echo=", 0) * SECONDS);
    front_end(life_end());
}
