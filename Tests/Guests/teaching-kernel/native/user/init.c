/* The first program: runs every line of /etc/selftest, counts what passed and whether all memory
 * came back, and switches the machine off. */
#include "user.h"

#define SCRIPT "/etc/selftest"
#define SCRIPT_BYTES 2048

static char script[SCRIPT_BYTES];

/* Splits a line into words, in place. */
static int split(char *line, const char *words[ARGUMENTS + 1])
{
    int count = 0;

    while (*line && count < ARGUMENTS) {
        while (*line == ' ')
            *line++ = 0;
        if (*line)
            words[count++] = line;
        while (*line && *line != ' ')
            line++;
    }
    words[count] = 0;
    return count;
}

static bool run(char *line)
{
    const char *words[ARGUMENTS + 1];
    char path[PATH_BYTES] = "/bin/";

    if (!split(line, words) || text_length(words[0]) + sizeof("/bin/") > PATH_BYTES)
        return false;
    memcpy(path + 5, words[0], text_length(words[0]) + 1);
    print("-- %s\n", words[0]);
    int pid = spawn(path, words);
    int status = pid < 0 ? pid : wait(pid);
    if (status)
        print("-- %s: status %d\n", words[0], status);
    return status == 0;
}

int main(int count, char **arguments)
{
    unsigned int passed = 0, failed = 0;
    uint64_t pages = free_pages();
    int file = open(SCRIPT, 0);
    long size = file < 0 ? -1 : read(file, script, sizeof(script) - 1);

    (void)count;
    (void)arguments;
    if (size < 0)
        print("%s cannot be read\n", SCRIPT);
    close(file);
    for (char *line = script, *end; *line; line = end) {
        for (end = line; *end && *end != '\n';)
            end++;
        if (*end)
            *end++ = 0;
        if (*line == 0 || *line == '#')
            continue;
        if (run(line))
            passed++;
        else
            failed++;
    }
    if (free_pages() == pages) {
        passed++;
    } else {
        failed++;
        print("pages are missing\n");
    }
    print("selftest: %u passed, %u failed\n", passed, failed);
    poweroff();
    return 1;
}
