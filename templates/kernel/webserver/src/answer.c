/*
 * An answer is a head, with an error's text behind it or a file. Of a file there is never more than a
 * buffer in memory:
 *
 *     lwIP <-- tcp_write <-- head, then `buffer` <-- disk, a buffer at a time
 */
#include "answer.h"

#include "archive.h"
#include "text.h"
#include "xg_os.h"
#include "xg_text.h"

#include "lwip/tcp.h"

/* No file's: none has a name that begins so, unless somebody makes one to be hidden by this. */
#define STOP_PATH "-/stop"

static struct xg_block *disk;
static bool is_stoppable, is_stopping;
static uint64_t begun, bytes;

void answers_start(struct xg_block *block, bool stoppable)
{
    disk = block;
    is_stoppable = stoppable;
}

bool answers_stop(void)
{
    return is_stopping;
}

uint64_t answers_begun(void)
{
    return begun;
}

uint64_t answers_bytes(void)
{
    return bytes;
}

/* Which answer. */

static void begin(struct connection *connection, const struct http_answer *answer, const char *text,
                  bool has_body)
{
    connection->head_length = http_head(connection->head, answer);
    connection->head_sent = 0;
    connection->buffer_at = connection->buffer_end = 0;
    connection->keeps = answer->keeps;
    connection->answers = true;
    for (; has_body && text && *text; text++)
        connection->head[connection->head_length++] = *text;
    begun++;
}

static void begin_text(struct connection *connection, const struct http_request *request,
                       unsigned int status, struct http_answer answer)
{
    char text[64];

    xg_join(text, sizeof(text), http_reason(status), "\n", (char *)0);
    answer.status = status;
    answer.type = "text/plain; charset=utf-8";
    answer.length = xg_length(text);
    answer.keeps = request->keeps;
    connection->left = 0;
    begin(connection, &answer, text, !request->is_head);
}

/* Which bytes of a file are wanted. False: none that it has. */
static bool range_of(const struct http_request *request, uint64_t size, uint64_t *first,
                     uint64_t *length)
{
    uint64_t last = size ? size - 1 : 0;

    *first = 0;
    *length = size;
    if (!request->has_range)
        return true;
    if (request->is_suffix)
        *first = request->last < size ? size - request->last : 0;
    else
        *first = request->first;
    if (!request->is_suffix && request->has_last && request->last < last)
        last = request->last;
    if (*first >= size || (request->is_suffix && request->last == 0))
        return false;
    *length = last - *first + 1;
    return true;
}

static void begin_file(struct connection *connection, const struct http_request *request,
                       const struct file *file)
{
    struct http_answer answer = {.status = request->has_range ? 206 : 200, .size = file->size,
                                 .type = http_type(file->name), .keeps = request->keeps};

    if (!range_of(request, file->size, &answer.first, &answer.length)) {
        begin_text(connection, request, 416, (struct http_answer){.size = file->size});
        return;
    }
    connection->sector = file->sector + answer.first / XG_SECTOR;
    connection->skip = answer.first % XG_SECTOR;
    connection->left = request->is_head ? 0 : answer.length;
    bytes += connection->left;
    begin(connection, &answer, 0, false);
}

void answer_begin(struct connection *connection, const struct http_request *request)
{
    char name[HTTP_PATH + 16];

    connection->stops = false;
    if (request->status != 200) {
        begin_text(connection, request, request->status, (struct http_answer){0});
        return;
    }
    if (is_stoppable && xg_equal(request->path, STOP_PATH)) {
        connection->stops = true;
        begin_text(connection, request, 200, (struct http_answer){0});
        return;
    }
    const struct file *file = request->is_folder ? 0 : archive_find(request->path);
    if (!file) {
        xg_join(name, sizeof(name), request->path, *request->path ? "/" : "", "index.html",
                (char *)0);
        file = archive_find(name);
        if (file && !request->is_folder) {
            begin_text(connection, request, 301, (struct http_answer){.location = request->path});
            return;
        }
    }
    if (file)
        begin_file(connection, request, file);
    else
        begin_text(connection, request, 404, (struct http_answer){0});
}

/* The disk. */

static void on_read(struct xg_block_request *request)
{
    struct connection *connection = request->context;

    connection->reads = false;
    connection->has_failed = request->result != 0;
    connection_read(connection);
    xg_os_wake();
}

static void read_more(struct connection *connection)
{
    uint64_t wanted = (connection->skip + connection->left + XG_SECTOR - 1) / XG_SECTOR;
    uint64_t count = wanted < BUFFER_SECTORS ? wanted : BUFFER_SECTORS;
    uint64_t size = count * XG_SECTOR - connection->skip;

    if (size > connection->left)
        size = connection->left;
    connection->read = (struct xg_block_request){.operation = XG_BLOCK_READ,
                                                 .sector = connection->sector, .count = count,
                                                 .data = connection->buffer, .done = on_read,
                                                 .context = connection};
    connection->buffer_at = connection->skip;
    connection->buffer_end = connection->skip + size;
    connection->sector += count;
    connection->skip = 0;
    connection->left -= size;
    connection->reads = true;
    if (xg_block_submit(disk, &connection->read)) {
        connection->reads = false;
        connection->has_failed = true;
    }
}

/* Progress. */

/* Hands bytes to lwIP; how many it took. */
static size_t write(struct connection *connection, const void *data, size_t length, bool more)
{
    size_t room = tcp_sndbuf(connection->pcb);

    if (length > room) {
        length = room;
        more = true;
    }
    if (!length || tcp_write(connection->pcb, data, (u16_t)length,
                             TCP_WRITE_FLAG_COPY | (more ? TCP_WRITE_FLAG_MORE : 0)) != ERR_OK)
        return 0;
    return length;
}

bool answer_go_on(struct connection *connection)
{
    if (connection->head_sent < connection->head_length) {
        size_t sent = write(connection, connection->head + connection->head_sent,
                            connection->head_length - connection->head_sent, connection->left > 0);
        connection->head_sent += sent;
        return sent > 0;
    }
    if (connection->reads)
        return false;
    if (connection->buffer_at < connection->buffer_end) {
        size_t sent = write(connection, connection->buffer + connection->buffer_at,
                            connection->buffer_end - connection->buffer_at, connection->left > 0);
        connection->buffer_at += sent;
        return sent > 0;
    }
    if (connection->left) {
        read_more(connection);
        return !connection->reads;
    }
    connection->answers = false;
    is_stopping |= connection->stops;
    return true;
}
