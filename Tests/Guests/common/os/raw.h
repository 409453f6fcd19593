/*
 * A device's front side without a driver: what a guest that means ill writes by hand. States, keys and
 * pages are its own; a backend's states are read where it must be known that it is still alive.
 */
#ifndef GUEST_RAW_H
#define GUEST_RAW_H

#include "front.h"
#include "xg_event.h"

#define RAW_PAGES 64u

struct raw_device {
    char path[XG_PATH], backend[XG_PATH];
    evtchn_port_t port;
    /* Pages that were granted, and what for; a page that the backend keeps is not ours any more. */
    struct {
        uint8_t *page;
        grant_ref_t reference;
    } pages[RAW_PAGES];
    uint32_t page_count;
    uint64_t events;
};

/* Finds the first device of a type. */
bool raw_find(struct raw_device *device, const char *type);
/* Writes a key below the device, as text and as number. */
void raw_write(struct raw_device *device, const char *key, const char *value);
void raw_number(struct raw_device *device, const char *key, uint64_t value);
void raw_state(struct raw_device *device, uint64_t state);
/* Waits until the backend has one of two states, five seconds at most. */
bool raw_await(struct raw_device *device, uint64_t state, uint64_t other);
/* Goes back to the beginning, whatever came before, and waits until the backend offers itself. */
bool raw_begin(struct raw_device *device);
/* Closes, and takes every page and the port back. */
bool raw_end(struct raw_device *device);
/* A cleared page that is granted; its reference. */
uint8_t *raw_page(struct raw_device *device, bool read_only, grant_ref_t *reference);
/* Makes the port. */
evtchn_port_t raw_port(struct raw_device *device);
/* Lets time go by, in milliseconds, with events let in. */
void raw_pause(uint64_t milliseconds);
/* The same numbers in each run. */
uint64_t raw_random(void);
void raw_scribble(void *at, size_t size);

#endif /* GUEST_RAW_H */
