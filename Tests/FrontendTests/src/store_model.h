/* A xenstore daemon: a tree, watches, transactions; and its faults. */
#ifndef STORE_MODEL_H
#define STORE_MODEL_H

#include "host.h"

#define HOME "/local/domain/1"

void store_model_start(void);

/* As the toolstack and backends use it: absolute paths; watches fire. */
void store_set(const char *path, const char *value);
void store_set_number(const char *path, uint64_t value);
/* 0: there is no such node. Valid until the node changes. */
const char *store_get(const char *path);
uint64_t store_get_number(const char *path, uint64_t otherwise);
/* With all that is below. */
void store_remove(const char *path);
unsigned int store_watch_count(void);

/* Faults. Each is armed until it has struck `store_fault_count` times. */
enum store_fault {
    STORE_GOOD,
    STORE_WRONG_REQUEST_ID,
    STORE_WRONG_TYPE,
    STORE_TOO_LONG,
    STORE_INDEX,
    STORE_SILENT,
    STORE_UNKNOWN_TOKEN,
    STORE_WATCH_FLOOD,
    STORE_WATCH_WITHOUT_TOKEN,
    STORE_EAGAIN,
    STORE_DOUBLED,
    STORE_ODD_ERROR,
};
extern enum store_fault store_fault;
extern unsigned int store_fault_count;
extern bool store_can_reconnect;

#endif /* STORE_MODEL_H */
