/* Answers: which file a request is for, and its way from the disk to lwIP. */
#ifndef ANSWER_H
#define ANSWER_H

#include "connection.h"

/* Files come from this disk. With `stoppable`, a request for /-/stop is an order to stop. */
void answers_start(struct xg_block *disk, bool stoppable);
/* Begins the answer to a request. */
void answer_begin(struct connection *connection, const struct http_request *request);
/* Goes on with it; at its end the connection `answers` no more. False: it waits for lwIP or the
 * disk. */
bool answer_go_on(struct connection *connection);
/* Somebody has given the order. */
bool answers_stop(void);
/* Answers begun, and bytes of files in them. */
uint64_t answers_begun(void);
uint64_t answers_bytes(void);

#endif
