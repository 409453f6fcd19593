/* What hooks.c has for the Swift side: the interface of the C frontends, and its variables. */
#ifndef HOOKS_H
#define HOOKS_H

#include "xg_block.h"
#include "xg_bus.h"
#include "xg_console.h"
#include "xg_event.h"
#include "xg_grant.h"
#include "xg_net.h"
#include "xg_store.h"

struct xg_block_options hooks_block_options(void);
struct xg_net_options hooks_net_options(void);
void hooks_block(struct xg_block *block, bool is_ready);
void hooks_net(struct xg_net *net, bool is_ready);

#endif /* HOOKS_H */
