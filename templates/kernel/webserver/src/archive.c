/*
 * An index of the archive, made once. Members follow each other:
 *
 *     header, one sector: name 0, size 124 (octal), checksum 148, type 156, magic 257, prefix 345
 *     contents, padded to whole sectors
 *
 * The disk may hold anything. Nothing in a header is believed before its checksum fits; a size must
 * leave the contents on the disk; names are made plain, and those that climb (`..`) are left out. How
 * many headers are read, and how many files are kept, has a limit.
 */
#include "archive.h"

#include "console.h"
#include "heap.h"
#include "text.h"
#include "xg_text.h"

#define HEADER_NAME 0u
#define NAME_SIZE 100u
#define HEADER_SIZE 124u
#define HEADER_CHECKSUM 148u
#define HEADER_TYPE 156u
#define HEADER_MAGIC 257u
#define HEADER_PREFIX 345u
#define PREFIX_SIZE 155u
#define PATH_SIZE (PREFIX_SIZE + 1 + NAME_SIZE + 1)

#define FILES_MOST 8192u
#define HEADERS_MOST 65536u
#define WINDOW_SECTORS 64u

static struct file *files;
static size_t file_count;
static uint64_t byte_count;

static struct xg_block *disk;
static uint8_t window[WINDOW_SECTORS * XG_SECTOR] __attribute__((aligned(8)));
static uint64_t window_first, window_count;

/* One sector of the disk, valid until the next call; 0: it cannot be read. */
static const uint8_t *sector_at(uint64_t sector)
{
    if (sector < window_first || sector - window_first >= window_count) {
        uint64_t count = disk->sectors - sector;
        struct xg_block_request request = {.operation = XG_BLOCK_READ, .sector = sector,
                                           .count = count < WINDOW_SECTORS ? count : WINDOW_SECTORS,
                                           .data = window};
        window_count = 0;
        if (xg_block_wait(disk, &request))
            return 0;
        window_first = sector;
        window_count = request.count;
    }
    return window + (sector - window_first) * XG_SECTOR;
}

/* A field of octal digits, with blanks before and a blank or zero behind. False: it is something else. */
static bool number_of(const uint8_t *field, size_t size, uint64_t *value)
{
    size_t at = 0;

    *value = 0;
    while (at < size && field[at] == ' ')
        at++;
    size_t first = at;
    for (; at < size && field[at] >= '0' && field[at] <= '7'; at++)
        *value = *value << 3 | (uint64_t)(field[at] - '0'); /* 12 digits are 36 bits */
    return at > first && (at == size || field[at] == 0 || field[at] == ' ');
}

static bool is_header(const uint8_t *header)
{
    uint64_t wanted, sum = 0;

    if (memcmp(header + HEADER_MAGIC, "ustar", 5) ||
        !number_of(header + HEADER_CHECKSUM, 8, &wanted))
        return false;
    for (size_t i = 0; i < XG_SECTOR; i++)
        sum += i >= HEADER_CHECKSUM && i < HEADER_CHECKSUM + 8 ? ' ' : header[i];
    return sum == wanted;
}

static bool is_empty(const uint8_t *header)
{
    for (size_t i = 0; i < XG_SECTOR; i++) {
        if (header[i])
            return false;
    }
    return true;
}

/* Takes a field over as far as it goes; where the text then ends. */
static size_t copy_field(char *text, size_t at, const uint8_t *field, size_t size)
{
    for (size_t i = 0; i < size && field[i]; i++)
        text[at++] = (char)field[i];
    return at;
}

/* A name without empty parts and `.`. False: it is no file's, or climbs, or cannot be asked for. */
static bool plain_name(char *name)
{
    size_t to = 0;

    for (size_t from = 0; name[from];) {
        size_t length = 0;
        while (name[from + length] && name[from + length] != '/') {
            if ((uint8_t)name[from + length] < ' ' || name[from + length] == 0x7f)
                return false;
            length++;
        }
        const char *part = name + from;
        if (length == 2 && part[0] == '.' && part[1] == '.')
            return false;
        if (length && !(length == 1 && part[0] == '.')) {
            if (to)
                name[to++] = '/';
            /* Never ahead of where it reads. */
            for (size_t i = 0; i < length; i++)
                name[to++] = part[i];
        }
        from += length;
        while (name[from] == '/')
            from++;
    }
    name[to] = 0;
    return to > 0;
}

/* Puts a file into the index. False: it is left out. */
static bool add(const uint8_t *header, uint64_t sector, uint64_t size)
{
    char name[PATH_SIZE];
    size_t length = 0;

    /* GNU's format has other things where POSIX has the prefix, and a blank behind "ustar". */
    if (header[HEADER_MAGIC + 5] == 0) {
        length = copy_field(name, 0, header + HEADER_PREFIX, PREFIX_SIZE);
        if (length)
            name[length++] = '/';
    }
    length = copy_field(name, length, header + HEADER_NAME, NAME_SIZE);
    name[length] = 0;
    if (!plain_name(name) || file_count == FILES_MOST)
        return false;
    length = xg_length(name) + 1;
    char *kept = heap_alloc(length);
    if (!kept)
        return false;
    memcpy(kept, name, length);
    files[file_count++] = (struct file){.name = kept, .sector = sector, .size = size};
    byte_count += size;
    return true;
}

/* Long names and attributes: what follows them is not what its header says. */
static bool is_extension(uint8_t type)
{
    return type == 'L' || type == 'K' || type == 'x';
}

size_t archive_open(struct xg_block *block)
{
    uint64_t sector = 0;
    unsigned int left_out = 0;
    bool is_extended = false;

    disk = block;
    window_count = file_count = byte_count = 0;
    files = heap_alloc(FILES_MOST * sizeof(*files));
    for (unsigned int count = 0; files && sector < disk->sectors && count < HEADERS_MOST; count++) {
        const uint8_t *header = sector_at(sector);
        uint64_t size;
        if (!header) {
            print("the disk cannot be read at sector %lu\n", (unsigned long)sector);
            break;
        }
        if (is_empty(header))
            break;
        if (!is_header(header) || !number_of(header + HEADER_SIZE, 12, &size)) {
            print("no tar header at sector %lu\n", (unsigned long)sector);
            break;
        }
        uint64_t sectors = (size + XG_SECTOR - 1) / XG_SECTOR;
        if (sectors > disk->sectors - sector - 1) {
            print("the archive ends in the middle of a file\n");
            break;
        }
        uint8_t type = header[HEADER_TYPE];
        if (type == '0' || type == 0) {
            if (is_extended || !add(header, sector + 1, size))
                left_out++;
        }
        is_extended = is_extension(type);
        sector += 1 + sectors;
    }
    if (left_out)
        print("%u files are left out: tar --format=ustar writes names that can be served\n", left_out);
    return file_count;
}

const struct file *archive_find(const char *name)
{
    /* Of two with one name the later counts, as with tar. */
    for (size_t i = file_count; i-- > 0;) {
        if (xg_equal(files[i].name, name))
            return &files[i];
    }
    return 0;
}

uint64_t archive_bytes(void)
{
    return byte_count;
}
