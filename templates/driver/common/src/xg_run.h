/* The driver's life. */
#ifndef XG_RUN_H
#define XG_RUN_H

/*
 * Starts the frontend and serves it; comes back with a negative error if it cannot, and with 0 if
 * the life that xg_run.c gives it has an end.
 * Driver context (xg_os.h): a thread that holds the frontends' lock, or the main loop.
 */
int xg_run(void);

#endif
