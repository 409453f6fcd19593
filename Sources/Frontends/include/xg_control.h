/* What the toolstack asks of the whole domain: to end, to restart, to suspend; emergency keys. */
#ifndef XG_CONTROL_H
#define XG_CONTROL_H

#include "xg_os.h"

struct xg_control_options {
    bool poweroff, reboot, suspend; /* announced, and obeyed */
    /* Asked before the domain ends or suspends; false keeps it. Driver context; 0: yes. */
    bool (*allow)(const char *request);
    /* A letter of control/sysrq. Driver context; 0: dropped. */
    void (*key)(char letter);
};

/* Watches control/shutdown; the options are copied. Driver context. */
int xg_control_start(const struct xg_control_options *options);
/* Suspends now, and connects everything again after. Driver context, out of any callback. */
int xg_control_suspend(void);

#endif /* XG_CONTROL_H */
