/*
 * Requests are read strictly: what is not as RFC 9112 has it is answered with 400 and ends the
 * connection.
 */
#include "http.h"

#include "span.h"
#include "text.h"

/* The path. */

/* Replaces %XX; the length, or negative: it is no path. The result is never longer. */
static long decode(struct span span, char *to)
{
    long length = 0;

    for (size_t i = 0; i < span.length; i++) {
        int letter = (uint8_t)span.text[i];
        if (letter == '%') {
            int high = i + 2 < span.length ? hex_digit(span.text[i + 1]) : -1;
            int low = i + 2 < span.length ? hex_digit(span.text[i + 2]) : -1;
            if (high < 0 || low < 0)
                return -1;
            letter = high << 4 | low;
            i += 2;
        }
        if (letter < ' ' || letter == 0x7f)
            return -1;
        to[length++] = (char)letter;
    }
    return length;
}

/* Makes a path plain, in place. False: it climbs. What names files has no `..` either (archive.c), so
 * that nothing but a file of the archive can ever be named. */
static bool make_plain(struct http_request *request, size_t length)
{
    struct span rest = {request->path, length};
    size_t to = 0;

    request->is_folder = true;
    while (rest.length) {
        struct span part = split(&rest, '/');
        request->is_folder = part.length == 0 || is_word(part, ".");
        if (is_word(part, ".."))
            return false;
        if (request->is_folder)
            continue;
        if (to)
            request->path[to++] = '/';
        memmove(request->path + to, part.text, part.length);
        to += part.length;
        /* A slash at the end leaves nothing behind it to look at. */
        request->is_folder = rest.length == 0 && part.text + part.length < rest.text;
    }
    request->path[to] = 0;
    return true;
}

static unsigned int read_target(struct span target, struct http_request *request)
{
    /* The absolute form, as for a proxy: its host is the one that is asked. */
    if (target.length > 7 && is_word((struct span){target.text, 7}, "http://")) {
        target.text += 7;
        target.length -= 7;
        struct span host = split(&target, '/');
        if (host.length == 0)
            return 400;
        /* The slash belongs to the path. */
        target.text--;
        target.length++;
    }
    if (target.length == 0 || *target.text != '/')
        return 400;
    target = split(&target, '#');
    target = split(&target, '?');
    if (target.length >= HTTP_PATH)
        return 414;
    long length = decode((struct span){target.text + 1, target.length - 1}, request->path);
    return length >= 0 && make_plain(request, (size_t)length) ? 200 : 400;
}

/* Fields. */

struct fields {
    unsigned int hosts;
    bool close, keep, has_body;
};

/* `bytes=first-last`, `bytes=first-` or `bytes=-count`; anything else is as if it were not there. */
static void read_range(struct span value, struct http_request *request)
{
    struct span unit = split(&value, '=');
    struct span first = split(&value, '-');

    request->has_range = is_word(unit, "bytes") && (first.length || value.length);
    request->is_suffix = first.length == 0;
    if (first.length && !number_of(first, &request->first))
        request->has_range = false;
    request->has_last = value.length > 0;
    if (request->has_last && !number_of(value, &request->last))
        request->has_range = false;
    if (request->has_last && !request->is_suffix && request->last < request->first)
        request->has_range = false;
}

static bool read_field(struct span line, struct fields *fields, struct http_request *request)
{
    struct span value = line, name = split(&value, ':');
    uint64_t number;

    /* A blank before the colon, or a line that goes on the one before, is no name. */
    if (!is_token(name) || name.length == line.length)
        return false;
    value = trimmed(value);
    for (size_t i = 0; i < value.length; i++) {
        if ((uint8_t)value.text[i] < ' ' && value.text[i] != '\t')
            return false;
    }
    if (is_word(name, "host")) {
        fields->hosts++;
    } else if (is_word(name, "connection")) {
        while (value.length) {
            struct span option = trimmed(split(&value, ','));
            fields->close |= is_word(option, "close");
            fields->keep |= is_word(option, "keep-alive");
        }
    } else if (is_word(name, "content-length")) {
        if (!number_of(value, &number))
            return false;
        fields->has_body |= number > 0;
    } else if (is_word(name, "transfer-encoding")) {
        fields->has_body = true;
    } else if (is_word(name, "range")) {
        read_range(value, request);
    }
    return true;
}

/* Requests. */

static unsigned int read_line(struct span line, struct http_request *request, bool *is_1_1)
{
    struct span method = split(&line, ' '), target = split(&line, ' ');
    const char *version = line.text;

    if (!is_token(method) || line.length != 8 || memcmp(version, "HTTP/", 5) ||
        !is_digit(version[5]) || version[6] != '.' || !is_digit(version[7]))
        return 400;
    if (version[5] != '1')
        return 505;
    *is_1_1 = version[7] != '0';
    request->is_head = method.length == 4 && !memcmp(method.text, "HEAD", 4);
    unsigned int status = read_target(target, request);
    if (status == 200 && !request->is_head && (method.length != 3 || memcmp(method.text, "GET", 3)))
        return 405;
    return status;
}

size_t http_parse(const char *text, size_t length, struct http_request *request)
{
    struct span rest = {text, length}, line;
    struct fields fields = {0};
    bool is_1_1 = false;

    *request = (struct http_request){.status = 200};
    do { /* empty lines before a request are nothing */
        if (!next_line(&rest, &line))
            goto incomplete;
    } while (line.length == 0);
    request->status = read_line(line, request, &is_1_1);
    for (;;) {
        if (!next_line(&rest, &line))
            goto incomplete;
        if (line.length == 0)
            break;
        if (!read_field(line, &fields, request))
            request->status = 400;
    }
    if (is_1_1 && fields.hosts != 1)
        request->status = 400;
    /* No method that is known here has a use for one, and what would follow it is not a request. */
    if (fields.has_body && request->status == 200)
        request->status = 400;
    bool is_refused = request->status != 200 && request->status != 405;
    request->keeps = !is_refused && !fields.has_body && !fields.close && (is_1_1 || fields.keep);
    return length - rest.length;

incomplete:
    if (length < HTTP_REQUEST)
        return 0;
    *request = (struct http_request){.status = 431};
    return length;
}
