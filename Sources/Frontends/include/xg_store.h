/*
 * The xenstore client. Requests wait for their answer; watches only leave a mark, and
 * xg_store_run_watches() calls whom it concerns. Paths without leading slash count from the
 * domain's home. Results are 0 or more, or a negative XEN_E number.
 *
 * Driver context, all of it.
 */
#ifndef XG_STORE_H
#define XG_STORE_H

#include "xg_os.h"
#include "xg_text.h"

/* No transaction. */
#define XG_NO_TRANSACTION 0u

/* Connects to the page that the toolstack made. */
int xg_store_start(void);
/* After a resume and xg_event_forget: page and port are new; all watches are set anew and fire. */
int xg_store_resume(void);
/* Ends the connection's port. */
void xg_store_stop(void);

/* Reads a value, ends it with a zero and gives its length; -XEN_E2BIG: the buffer is too small. */
int xg_store_read(uint32_t transaction, const char *path, char *buffer, size_t size);
int xg_store_write(uint32_t transaction, const char *path, const char *value);
int xg_store_mkdir(uint32_t transaction, const char *path);
int xg_store_remove(uint32_t transaction, const char *path);
/* Names of the children, each with a zero; gives the bytes. */
int xg_store_list(uint32_t transaction, const char *path, char *buffer, size_t size);
/* Permissions as texts like "n0" and "r3", each with a zero; gives the bytes. */
int xg_store_get_permissions(uint32_t transaction, const char *path, char *buffer, size_t size);
int xg_store_set_permissions(uint32_t transaction, const char *path, const char *permissions,
                             size_t size);

/* -XEN_EAGAIN from commit: somebody else changed what was read or written; do all of it again. */
int xg_store_begin(uint32_t *transaction);
int xg_store_commit(uint32_t transaction);
int xg_store_abort(uint32_t transaction);

/* One key in a directory, as a number. Absent or no number: `otherwise`. */
uint64_t xg_store_number(const char *directory, const char *key, uint64_t otherwise);
int xg_store_write_number(uint32_t transaction, const char *directory, const char *key,
                          uint64_t value);

/* Several keys of one directory. */
struct xg_key {
    const char *key;
    uint64_t value;
};
int xg_store_write_keys(uint32_t transaction, const char *directory, const struct xg_key *keys,
                        size_t count);

/* A watch. The owner keeps it in place until it is ended. */
struct xg_watch {
    char path[XG_PATH];
    void (*changed)(void *context);
    void *context;
    /* Private: */
    struct xg_watch *next;
    uint32_t token; /* 0: not set */
    bool fired;
};

/* Sets path, calls and context are filled in; it fires once at once, and at every change below. */
int xg_store_watch(struct xg_watch *watch);
void xg_store_unwatch(struct xg_watch *watch);
/* Calls those that fired since. A call may set and end watches. */
void xg_store_run_watches(void);
/* Marks one as if it had fired, so that it is called again. */
void xg_store_fire(struct xg_watch *watch);

#endif /* XG_STORE_H */
