/* The driver's life. */
#ifndef XG_RUN_H
#define XG_RUN_H

/*
 * Starts the frontend and serves it for ever; comes back with a negative error if it cannot start.
 * Driver context (xg_os.h): a thread that holds the frontends' lock, or the main loop.
 */
int xg_run(void);

#endif
