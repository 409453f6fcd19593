/*
 * Connections over lwIP's raw interface. Each has a slot:
 *
 *     bytes come --> `arrived` --> `request` --> http_parse --> answer.c
 *
 * lwIP's callbacks and the disk's only note what happened; server_poll does the work. A slot whose
 * connection is gone stays taken until its disk request is back, as that writes to its buffer.
 */
#include "server.h"

#include "answer.h"
#include "clock.h"
#include "connection.h"
#include "domain.h"
#include "text.h"

#include "lwip/tcp.h"

#define CONNECTIONS 48u
#define BACKLOG 32u
/* A connection that gives no sign for so long makes room for others. */
#define IDLE_MOST (20 * SECOND)

static struct connection connections[CONNECTIONS];
static bool has_work;

/* The end of connections. */

static void let_go(struct connection *connection)
{
    if (connection->pcb) {
        tcp_arg(connection->pcb, 0);
        tcp_recv(connection->pcb, 0);
        tcp_sent(connection->pcb, 0);
        tcp_err(connection->pcb, 0);
        connection->pcb = 0;
    }
    if (connection->arrived)
        pbuf_free(connection->arrived);
    connection->arrived = 0;
    connection->answers = false;
    connection->taken = connection->reads;
}

static void abort_connection(struct connection *connection)
{
    struct tcp_pcb *pcb = connection->pcb;

    let_go(connection);
    if (pcb)
        tcp_abort(pcb);
}

/* What has been written still goes out. */
static void close_connection(struct connection *connection)
{
    struct tcp_pcb *pcb = connection->pcb;

    /* lwIP resets a connection that is closed with bytes unread. */
    if (connection->arrived)
        tcp_recved(pcb, connection->arrived->tot_len);
    let_go(connection);
    if (tcp_close(pcb) != ERR_OK)
        tcp_abort(pcb);
}

/* lwIP's callbacks. */

void connection_note(struct connection *connection)
{
    connection->last_sign = clock_now();
    has_work = true;
}

void connection_read(struct connection *connection)
{
    if (!connection->pcb)
        connection->taken = false;
    connection_note(connection);
}

static err_t on_receive(void *context, struct tcp_pcb *pcb, struct pbuf *buffer, err_t error)
{
    struct connection *connection = context;

    (void)pcb;
    (void)error;
    connection_note(connection);
    if (!buffer)
        connection->has_ended = true;
    else if (connection->arrived)
        pbuf_cat(connection->arrived, buffer);
    else
        connection->arrived = buffer;
    return ERR_OK;
}

static err_t on_sent(void *context, struct tcp_pcb *pcb, u16_t length)
{
    (void)pcb;
    (void)length;
    connection_note(context);
    return ERR_OK;
}

/* The connection is gone, and lwIP has freed it. */
static void on_error(void *context, err_t error)
{
    struct connection *connection = context;

    (void)error;
    connection->pcb = 0;
    let_go(connection);
}

/* A free slot, or that of the connection that was silent longest without an answer under way. */
static struct connection *slot(void)
{
    struct connection *oldest = 0;

    for (unsigned int i = 0; i < CONNECTIONS; i++) {
        struct connection *each = &connections[i];
        if (!each->taken)
            return each;
        if (each->pcb && !each->answers && !each->reads &&
            (!oldest || each->last_sign < oldest->last_sign))
            oldest = each;
    }
    if (oldest)
        close_connection(oldest);
    return oldest;
}

static err_t on_accept(void *context, struct tcp_pcb *pcb, err_t error)
{
    (void)context;
    if (error != ERR_OK || !pcb)
        return ERR_VAL;
    struct connection *connection = slot();
    if (!connection) {
        tcp_abort(pcb);
        return ERR_ABRT;
    }
    memset(connection, 0, offsetof(struct connection, request));
    connection->taken = true;
    connection->pcb = pcb;
    tcp_arg(pcb, connection);
    tcp_recv(pcb, on_receive);
    tcp_sent(pcb, on_sent);
    tcp_err(pcb, on_error);
    tcp_nagle_disable(pcb);
    connection_note(connection);
    return ERR_OK;
}

/* Progress. */

/* Takes what has come, as far as there is room. */
static void fill(struct connection *connection)
{
    size_t room = sizeof(connection->request) - connection->filled;

    if (!connection->arrived || !room)
        return;
    u16_t length = pbuf_copy_partial(connection->arrived, connection->request + connection->filled,
                                     (u16_t)room, 0);
    connection->arrived = pbuf_free_header(connection->arrived, length);
    connection->filled += length;
    tcp_recved(connection->pcb, length);
}

/* Begins the next answer. False: there is no request yet. */
static bool next_request(struct connection *connection)
{
    static struct http_request request;

    fill(connection);
    if (!connection->filled)
        return false;
    size_t length = http_parse(connection->request, connection->filled, &request);
    if (!length)
        return false;
    connection->filled -= length;
    memmove(connection->request, connection->request + length, connection->filled);
    answer_begin(connection, &request);
    return true;
}

static void advance(struct connection *connection)
{
    for (;;) {
        if (connection->has_failed) {
            /* In the middle of an answer nothing can be said any more but that it is not whole. */
            abort_connection(connection);
            return;
        }
        if (connection->answers) {
            if (!answer_go_on(connection))
                break;
            if (!connection->answers && !connection->keeps && !connection->stops) {
                close_connection(connection);
                return;
            }
        } else if (!next_request(connection)) {
            if (connection->has_ended) {
                close_connection(connection);
                return;
            }
            break;
        }
    }
    tcp_output(connection->pcb);
}

void server_poll(void)
{
    uint64_t now = clock_now();

    has_work = false;
    for (unsigned int i = 0; i < CONNECTIONS; i++) {
        struct connection *connection = &connections[i];
        if (!connection->pcb)
            continue;
        advance(connection);
        if (connection->pcb && now > connection->last_sign &&
            now - connection->last_sign > IDLE_MOST)
            abort_connection(connection);
    }
}

bool server_has_work(void)
{
    return has_work;
}

bool server_is_stopped(void)
{
    if (!answers_stop())
        return false;
    for (unsigned int i = 0; i < CONNECTIONS; i++) {
        const struct connection *each = &connections[i];
        if (each->pcb && (each->answers || each->pcb->unacked || each->pcb->unsent))
            return false;
    }
    return true;
}

void server_start(struct xg_block *disk, uint16_t port, bool stoppable)
{
    struct tcp_pcb *pcb = tcp_new();

    answers_start(disk, stoppable);
    if (!pcb || tcp_bind(pcb, IP_ADDR_ANY, port) != ERR_OK)
        panic("port %u cannot be had", port);
    pcb = tcp_listen_with_backlog(pcb, BACKLOG);
    if (!pcb)
        panic("lwIP has no memory to listen");
    tcp_accept(pcb, on_accept);
}
