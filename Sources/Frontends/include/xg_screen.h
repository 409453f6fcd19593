/* A frame buffer in the guest's own memory, which the backend maps and shows. */
#ifndef XG_SCREEN_H
#define XG_SCREEN_H

#include "xg_bus.h"

struct xg_screen {
    struct xg_device device;
    uint8_t *pixels; /* line by line; stays in place over reconnections */
    uint32_t width, height, depth, line_length, size;
    bool updates;            /* the backend wants to be told of changes */
    uint32_t refresh_period; /* milliseconds that it asked for last; 0: nobody looks */
    struct xg_screen_private *own;
};

/* Size of screens found from now on: pixels, and bits of a pixel (8, 16, 32). */
struct xg_screen_size {
    uint32_t width, height, depth;
};

extern const struct xg_driver xg_screen_driver;
extern struct xg_screen_size xg_screen_default_size;
extern void (*xg_screen_ready)(struct xg_screen *screen);
extern void (*xg_screen_gone)(struct xg_screen *screen);

/* A rectangle has new contents. -XEN_EAGAIN: the ring is full; tell it again. Any context. */
int xg_screen_update(struct xg_screen *screen, uint32_t x, uint32_t y, uint32_t width,
                     uint32_t height);

#endif /* XG_SCREEN_H */
