/* Heads of answers. */
#include "http.h"

#include "span.h"
#include "xg_text.h"

const char *http_reason(unsigned int status)
{
    switch (status) {
    case 200: return "OK";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 414: return "URI Too Long";
    case 416: return "Range Not Satisfiable";
    case 431: return "Request Header Fields Too Large";
    case 505: return "HTTP Version Not Supported";
    default: return "Internal Server Error";
    }
}

/* Text that gathers; what does not fit is left out, and nothing of it is longer than it may be. */
struct head {
    char *text;
    size_t length;
};

static void put(struct head *head, const char *text)
{
    while (*text && head->length < HTTP_HEAD)
        head->text[head->length++] = *text++;
}

static void put_number(struct head *head, uint64_t number)
{
    char digits[21];

    xg_print_number(digits, number);
    put(head, digits);
}

/* A path as it stands in a request; it is shorter than HTTP_PATH. */
static void put_path(struct head *head, const char *path)
{
    for (; *path; path++) {
        bool plain = is_token((struct span){path, 1}) || *path == '/';
        plain = plain && *path != '%' && *path != '#';
        char text[4] = {*path, 0};
        if (!plain) {
            text[0] = '%';
            text[1] = "0123456789ABCDEF"[(uint8_t)*path >> 4];
            text[2] = "0123456789ABCDEF"[(uint8_t)*path & 15];
        }
        put(head, text);
    }
}

size_t http_head(char text[HTTP_HEAD], const struct http_answer *answer)
{
    struct head head = {text, 0};

    put(&head, "HTTP/1.1 ");
    put_number(&head, answer->status);
    put(&head, " ");
    put(&head, http_reason(answer->status));
    put(&head, "\r\nContent-Type: ");
    put(&head, answer->type);
    put(&head, "\r\nContent-Length: ");
    put_number(&head, answer->length);
    if (answer->status == 405)
        put(&head, "\r\nAllow: GET, HEAD");
    if (answer->status == 200)
        put(&head, "\r\nAccept-Ranges: bytes");
    if (answer->status == 206 || answer->status == 416)
        put(&head, "\r\nContent-Range: bytes ");
    if (answer->status == 206) {
        put_number(&head, answer->first);
        put(&head, "-");
        put_number(&head, answer->first + answer->length - 1);
    } else if (answer->status == 416) {
        put(&head, "*");
    }
    if (answer->status == 206 || answer->status == 416) {
        put(&head, "/");
        put_number(&head, answer->size);
    }
    if (answer->location) {
        put(&head, "\r\nLocation: /");
        put_path(&head, answer->location);
        put(&head, "/");
    }
    put(&head, "\r\nConnection: ");
    put(&head, answer->keeps ? "keep-alive" : "close");
    put(&head, "\r\n\r\n");
    return head.length;
}

const char *http_type(const char *name)
{
    static const struct {
        const char *ending, *type;
    } types[] = {
        {"html", "text/html; charset=utf-8"}, {"htm", "text/html; charset=utf-8"},
        {"css", "text/css; charset=utf-8"}, {"js", "text/javascript; charset=utf-8"},
        {"txt", "text/plain; charset=utf-8"}, {"md", "text/plain; charset=utf-8"},
        {"json", "application/json"}, {"xml", "application/xml"}, {"pdf", "application/pdf"},
        {"wasm", "application/wasm"}, {"svg", "image/svg+xml"}, {"png", "image/png"},
        {"jpg", "image/jpeg"}, {"jpeg", "image/jpeg"}, {"gif", "image/gif"}, {"webp", "image/webp"},
        {"ico", "image/x-icon"}, {"woff2", "font/woff2"},
    };
    const char *ending = "";

    for (const char *at = name; *at; at++) {
        if (*at == '/')
            ending = "";
        else if (*at == '.')
            ending = at + 1;
    }
    struct span span = {ending, xg_length(ending)};
    for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++) {
        if (is_word(span, types[i].ending))
            return types[i].type;
    }
    return "application/octet-stream";
}
