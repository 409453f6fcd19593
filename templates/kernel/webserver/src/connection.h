/* A connection, for server.c, which has them, and answer.c, which works for them. */
#ifndef CONNECTION_H
#define CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http.h"
#include "xg_block.h"

#define BUFFER_SECTORS 64u
#define BUFFER (BUFFER_SECTORS * XG_SECTOR)

struct tcp_pcb;
struct pbuf;

struct connection {
    bool taken;
    struct tcp_pcb *pcb; /* 0: gone */
    struct pbuf *arrived; /* not yet copied to `request` */
    bool has_ended;       /* the other side sends nothing more */
    uint64_t last_sign;

    /* The answer under way. */
    bool answers, keeps, stops;
    size_t head_length, head_sent;
    uint64_t sector, left; /* of the file: where to read next, and how many bytes */
    uint64_t skip;         /* bytes to leave out at the start of that sector */
    struct xg_block_request read;
    bool reads, has_failed;
    size_t buffer_at, buffer_end;

    size_t filled;
    /* From here on nothing needs to be cleared. */
    char request[HTTP_REQUEST];
    char head[HTTP_HEAD + 64]; /* and an error's text */
    uint8_t buffer[BUFFER];
};

/* Something has happened to it: server_poll will look. Any context. */
void connection_note(struct connection *connection);
/* Its disk request is back: it may go, if it was to go. Event or driver context. */
void connection_read(struct connection *connection);

#endif
