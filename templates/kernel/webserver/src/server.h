/* The web server: connections, each of which asks for files one after the other. */
#ifndef SERVER_H
#define SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "xg_block.h"

/* Listens at a port. With `stoppable`, a request for /-/stop ends the server. */
void server_start(struct xg_block *disk, uint16_t port, bool stoppable);
/* Takes every connection as far as it goes. Driver context. */
void server_poll(void);
/* Whether something has happened that server_poll has not seen. */
bool server_has_work(void);
/* Somebody has ended it, and all answers are out. */
bool server_is_stopped(void);

#endif
