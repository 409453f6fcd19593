/* The first console: the page of two byte rings that the toolstack made. */
#ifndef XG_CONSOLE_H
#define XG_CONSOLE_H

#include "xg_os.h"

/* `input` runs in event context whenever there may be something to read or room to write; or 0. */
int xg_console_start(void (*input)(void *context), void *context);
/* After a resume and xg_event_forget: page and port are new. */
int xg_console_resume(void);
/* Writes what there is room for and gives the bytes; lines end in "\r\n" if it shall look right.
 * -XEN_EIO: the daemon broke the protocol, and the console is left. Any context. */
int xg_console_write(const char *data, size_t length);
/* Waits for room, but not for ever: a daemon that is not there reads nothing. Driver context. */
int xg_console_write_all(const char *data, size_t length, uint64_t deadline);
/* Reads what has been typed, and gives the bytes. Any context. */
int xg_console_read(char *data, size_t size);

#endif /* XG_CONSOLE_H */
