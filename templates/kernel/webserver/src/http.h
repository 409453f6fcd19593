/* HTTP requests (RFC 9110, 9112), and the heads of answers. Nothing here knows of connections. */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define HTTP_PATH 256u
/* A request's line and fields. */
#define HTTP_REQUEST 4096u
/* Room for any head that is made here, a path with each byte as %XX included. */
#define HTTP_HEAD 1280u

struct http_request {
    unsigned int status; /* 200, or what it is refused with */
    bool is_head;        /* HEAD: no body in the answer */
    bool keeps;          /* the connection stays */
    bool has_range, has_last;
    uint64_t first, last; /* bytes; without has_last it goes to the end */
    bool is_suffix;       /* the last `last` bytes */
    char path[HTTP_PATH]; /* decoded, without slashes at its start, `.` and empty parts */
    bool is_folder;       /* it ended with a slash, or was one */
};

/* Reads one request; how many bytes it has, 0: not all of it is there. */
size_t http_parse(const char *text, size_t length, struct http_request *request);

/* What is in the answer beside the status. */
struct http_answer {
    unsigned int status;
    const char *type;         /* of the body */
    uint64_t length;          /* of the body */
    uint64_t first, size;     /* with 206: where in how much; with 416: of how much */
    const char *location;     /* with 301: the path */
    bool keeps;
};

/* Writes the head; its length. */
size_t http_head(char head[HTTP_HEAD], const struct http_answer *answer);
/* What a status means, in words. */
const char *http_reason(unsigned int status);
/* The media type that goes with a file's name. */
const char *http_type(const char *name);

#endif
