/* Files: written, brought to the disk, read back from there. */
#include "user.h"

#define NAME "/tmp/notes"
#define LARGE "/tmp/large"
#define TOO_LONG "twenty-eight-letters-and-more"
#define CHUNK 1000
#define CHUNKS 120 /* more than an inode holds by itself */

static uint8_t chunk[CHUNK];

static void fill(int number)
{
    for (int i = 0; i < CHUNK; i++)
        chunk[i] = (uint8_t)(number * 7 + i);
}

static void small_file(void)
{
    static const char text[] = "a line of text\n";
    char back[64];

    int file = open(NAME, OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE);
    check("a file is made", file >= 0);
    check("a line is written", write(file, text, sizeof(text) - 1) == sizeof(text) - 1);
    close(file);
    check("it goes to the disk", sync() == 0);
    file = open(NAME, 0);
    check("it is read back", read(file, back, sizeof(back)) == sizeof(text) - 1 &&
                                 memcmp(back, text, sizeof(text) - 1) == 0);
    check("and ends there", read(file, back, sizeof(back)) == 0);
    check("a file that is read is not written", write(file, text, 1) == ERROR_BAD_FILE);
    close(file);
    file = open(NAME, OPEN_WRITE | OPEN_TRUNCATE);
    check("it is emptied", read(file, back, sizeof(back)) == 0);
    close(file);
}

static void large_file(void)
{
    bool written = true, same = true;
    uint8_t back[CHUNK];

    int file = open(LARGE, OPEN_WRITE | OPEN_CREATE | OPEN_TRUNCATE);
    for (int i = 0; i < CHUNKS; i++) {
        fill(i);
        written = write(file, chunk, CHUNK) == CHUNK && written;
    }
    close(file);
    check("120000 bytes are written", written && sync() == 0);
    file = open(LARGE, 0);
    for (int i = 0; i < CHUNKS; i++) {
        fill(i);
        same = read(file, back, CHUNK) == CHUNK && memcmp(back, chunk, CHUNK) == 0 && same;
    }
    close(file);
    check("and read back as they were", same);
}

int main(int count, char **arguments)
{
    (void)count;
    (void)arguments;
    small_file();
    large_file();
    check("a path that is not there", open("/tmp/none", 0) == ERROR_NOT_FOUND);
    check("a path through a file", open("/etc/selftest/more", 0) == ERROR_NOT_DIRECTORY);
    check("a folder that is written to", open("/tmp", OPEN_WRITE) == ERROR_IS_DIRECTORY);
    check("a name that is too long", open("/tmp/" TOO_LONG, OPEN_CREATE) == ERROR_INVALID);
    check("a descriptor that is not open", read(7, chunk, 1) == ERROR_BAD_FILE);
    return check_status();
}
