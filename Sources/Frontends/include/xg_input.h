/* Keyboard and pointer. */
#ifndef XG_INPUT_H
#define XG_INPUT_H

#include "xg_bus.h"

struct xg_input {
    struct xg_device device;
    bool absolute; /* the backend reports positions */
    /* One event, already checked for a known type. Event context. */
    void (*event)(struct xg_input *input, const union xenkbd_in_event *event);
    void *context;
    struct xg_input_private *own;
};

extern const struct xg_driver xg_input_driver;
/* Whether to ask for positions in place of movements. */
extern bool xg_input_want_absolute;
extern void (*xg_input_ready)(struct xg_input *input);
extern void (*xg_input_gone)(struct xg_input *input);

#endif /* XG_INPUT_H */
