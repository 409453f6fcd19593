/*
 * The web server's two readers of hostile bytes on the host, under sanitizers: requests (http.c) and
 * archives (archive.c). What is known to be good or bad first, then STEPS of random bytes made from it.
 *     parsers [STEPS]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdarg.h>

#include "archive.h"
#include "heap.h"
#include "http.h"

static unsigned int bad;

static void check(bool good, const char *what)
{
    if (good)
        return;
    printf("%s: no\n", what);
    bad++;
}

/* What the kernel gives. Each file's name is a piece of its own, so that none is read beyond. */

void *heap_alloc(size_t size)
{
    return calloc(1, size);
}

void print(const char *format, ...)
{
    (void)format;
}

static uint8_t *image;
static size_t image_sectors;

int xg_block_wait(struct xg_block *block, struct xg_block_request *request)
{
    (void)block;
    if (request->sector > image_sectors || request->count > image_sectors - request->sector)
        return -1;
    memcpy(request->data, image + request->sector * XG_SECTOR, request->count * XG_SECTOR);
    return 0;
}

static uint64_t random_state = 1;

static uint32_t random_below(uint32_t end)
{
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)((random_state >> 33) % end);
}

/* Requests. */

/* Copied to the end of a piece of memory, so that a byte too far is seen. */
static size_t parse(const char *text, size_t length, struct http_request *request)
{
    char *copy = malloc(length ? length : 1);

    memcpy(copy, text, length);
    size_t taken = http_parse(copy, length, request);
    free(copy);
    return taken;
}

static bool is_plain(const char *path)
{
    for (const char *part = path; *path; part = *part == '/' ? part + 1 : part) {
        const char *end = strchr(part, '/');
        size_t length = end ? (size_t)(end - part) : strlen(part);
        if (!length || (length <= 2 && !strncmp(part, "..", length)))
            return false;
        if (!end)
            return true;
        part = end;
    }
    return true;
}

static void known_requests(void)
{
    static const struct {
        const char *text;
        unsigned int status;
        const char *path;
    } known[] = {
        {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, ""},
        {"GET /a/./b//c/ HTTP/1.1\r\nhost:a\r\n\r\n", 200, "a/b/c"},
        {"GET /%61%2Fb?x#y HTTP/1.0\r\n\r\n", 200, "a/b"},
        {"GET http://h/x HTTP/1.1\r\nHost: a\r\n\r\n", 200, "x"},
        {"HEAD /a HTTP/1.0\n\n", 200, "a"},
        {"GET /.../..a/a.. HTTP/1.0\r\n\r\n", 200, ".../..a/a.."},
        {"POST / HTTP/1.0\r\n\r\n", 405, 0},
        {"get / HTTP/1.0\r\n\r\n", 405, 0},
        {"GET / HTTP/1.1\r\n\r\n", 400, 0},
        {"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505, 0},
        {"GET /.. HTTP/1.0\r\n\r\n", 400, 0},
        {"GET /a/../b HTTP/1.0\r\n\r\n", 400, 0},
        {"GET /%2e%2e/b HTTP/1.0\r\n\r\n", 400, 0},
        {"GET /%2 HTTP/1.0\r\n\r\n", 400, 0},
        {"GET /%00 HTTP/1.0\r\n\r\n", 400, 0},
        {"GET * HTTP/1.0\r\n\r\n", 400, 0},
        {"GET http:// HTTP/1.0\r\n\r\n", 400, 0},
        {"GET  / HTTP/1.0\r\n\r\n", 400, 0},
        {"GET / HTTP/1.0 \r\n\r\n", 400, 0},
        {"GET /\r\n\r\n", 400, 0},
        {"GET / HTTP/1.0\r\nContent-Length: 1\r\n\r\n", 400, 0},
        {"GET / HTTP/1.0\r\nContent-Length: x\r\n\r\n", 400, 0},
        {"GET / HTTP/1.0\r\nContent-Length: 99999999999999999999\r\n\r\n", 400, 0},
        {"GET / HTTP/1.0\r\nno colon\r\n\r\n", 400, 0},
    };
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        struct http_request request;
        size_t length = strlen(known[i].text);
        check(parse(known[i].text, length, &request) == length &&
                  request.status == known[i].status &&
                  (!known[i].path || !strcmp(request.path, known[i].path)),
              known[i].text);
        for (size_t part = 0; part < length; part++)
            check(parse(known[i].text, part, &request) == 0, "a part of a request waits for the rest");
    }
}

static void known_ranges(void)
{
    struct http_request request;
    const char *one = "GET / HTTP/1.0\r\nRange: bytes=5-10\r\n\r\n";
    const char *none = "GET / HTTP/1.0\r\nRange: bytes=10-5\r\n\r\n";
    const char *end = "GET / HTTP/1.0\r\nRange: bytes=-7\r\n\r\n";

    parse(one, strlen(one), &request);
    check(request.has_range && request.first == 5 && request.has_last && request.last == 10, one);
    parse(none, strlen(none), &request);
    check(!request.has_range, none);
    parse(end, strlen(end), &request);
    check(request.has_range && request.is_suffix && request.last == 7, end);
}

/* Nothing may be read or written beyond; what is taken has a status, and a path that cannot climb. */
static void random_request(void)
{
    static const char *const pieces[] = {
        "GET ", "HEAD ", "/", "..", "%2e", "%2F", "%", "a", "http://", " ", "HTTP/1.1", "HTTP/1.0", "\r\n",
        "\n", "\r", "Host: a", "Host:", "Connection: close", ", keep-alive", "Range: bytes=", "-", "1",
        "18446744073709551615", "Content-Length: ", "Transfer-Encoding: chunked", "?", "#", "\t", "%00",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };
    char text[HTTP_REQUEST];
    size_t length = 0;
    struct http_request request;

    for (uint32_t count = random_below(40); count--;) {
        const char *piece = pieces[random_below(sizeof(pieces) / sizeof(*pieces))];
        size_t size = strlen(piece);
        if (length + size > sizeof(text))
            break;
        memcpy(text + length, piece, size);
        length += size;
    }
    if (length && random_below(4) == 0)
        text[random_below((uint32_t)length)] = (char)random_below(256);
    size_t taken = parse(text, length, &request);
    check(taken <= length, "no more is taken than there is");
    if (!taken)
        return;
    check(request.status >= 200 && request.status < 600, "a request has a status");
    check(request.status != 200 || is_plain(request.path), "a path does not climb");
    char head[HTTP_HEAD];
    struct http_answer answer = {.status = 301, .type = http_type(request.path), .location = request.path,
                                 .size = UINT64_MAX, .length = UINT64_MAX};
    size_t size = request.status == 200 ? http_head(head, &answer) : 4;
    check(size <= sizeof(head) && !memcmp(head + size - 4, request.status == 200 ? "\r\n\r\n" : head, 4),
          "a head is whole");
}

/* Archives. */

static void set_checksum(uint8_t *header)
{
    unsigned int sum = 0;

    memset(header + 148, ' ', 8);
    for (size_t i = 0; i < XG_SECTOR; i++)
        sum += header[i];
    snprintf((char *)header + 148, 8, "%06o", sum);
}

static size_t put_file(size_t at, const char *name, char type, size_t size, const char *magic)
{
    uint8_t *header = image + at * XG_SECTOR;

    strncpy((char *)header, name, 100);
    snprintf((char *)header + 124, 12, "%011o", (unsigned int)size);
    header[156] = (uint8_t)type;
    memcpy(header + 257, magic, 8);
    set_checksum(header);
    return at + 1 + (size + XG_SECTOR - 1) / XG_SECTOR;
}

static size_t open_image(void)
{
    struct xg_block disk = {.sectors = image_sectors};

    return archive_open(&disk);
}

static void good_image(void)
{
    size_t at = 0;

    image_sectors = 64;
    image = calloc(image_sectors, XG_SECTOR);
    at = put_file(at, "./", '5', 0, "ustar\00000");
    at = put_file(at, "./a.txt", '0', 600, "ustar\00000");
    at = put_file(at, "b//c", '0', 0, "ustar  ");
    at = put_file(at, "../d", '0', 5, "ustar\00000");
    at = put_file(at, "long", 'L', 120, "ustar  ");
    at = put_file(at, "cut", '0', 5, "ustar  ");
    put_file(at, "a.txt", 0, 7, "ustar\00000");
}

static void known_archive(void)
{
    good_image();
    check(open_image() == 3, "three files can be served");
    const struct file *file = archive_find("a.txt");
    check(file && file->size == 7, "of two with one name the later counts");
    check(archive_find("b/c") && !archive_find("../d") && !archive_find("d") && !archive_find("cut"),
          "names that climb or are cut are left out");
    free(image);
}

static void random_archive(void)
{
    good_image();
    for (uint32_t count = 1 + random_below(8); count--;) {
        size_t sector = random_below(12);
        image[sector * XG_SECTOR + random_below(XG_SECTOR)] = (uint8_t)random_below(256);
        if (random_below(4))
            set_checksum(image + sector * XG_SECTOR);
    }
    if (random_below(4) == 0)
        image_sectors = random_below(12);
    size_t count = open_image();
    check(count <= 64, "no more files than headers");
    const struct file *file = archive_find("a.txt");
    check(!file || (file->sector <= image_sectors &&
                    file->size <= (image_sectors - file->sector) * XG_SECTOR),
          "a file lies on the disk");
    free(image);
}

int main(int argc, char **argv)
{
    unsigned long steps = argc > 1 ? strtoul(argv[1], 0, 10) : 100000;

    known_requests();
    known_ranges();
    known_archive();
    for (unsigned long step = 0; step < steps && !bad; step++) {
        random_request();
        if (step % 20 == 0)
            random_archive();
    }
    printf("web server: requests and archives, %lu random steps: %s\n", steps, bad ? "bad" : "good");
    return bad != 0;
}
