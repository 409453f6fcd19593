/* Variables of the C interface, for the Swift frontends behind it; the callbacks are never used. */
#include "hooks.h"

const struct xg_driver xg_block_driver = {.type = "vbd"};
const struct xg_driver xg_net_driver = {.type = "vif"};

struct xg_block_options xg_block_defaults = {
    .flush = true, .barrier = true, .discard = true, .persistent = true, .indirect_segments = 32,
    .ring_order = 1, .queues = 1, .pool_pages = 128, .tries = 3,
    .request_timeout = 30000000000ull, .reconnect_timeout = 60000000000ull,
};
struct xg_net_options xg_net_defaults = {
    .sg = true, .checksum = true, .checksum6 = true, .gso4 = true, .gso6 = true,
    .multicast = false, .split_events = true, .queues = 1, .tx_buffers = 128, .rx_buffers = 128,
    .send_timeout = 30000000000ull,
};
void (*xg_block_ready)(struct xg_block *block);
void (*xg_block_gone)(struct xg_block *block);
void (*xg_net_ready)(struct xg_net *net);
void (*xg_net_gone)(struct xg_net *net);

struct xg_block_options hooks_block_options(void)
{
    return xg_block_defaults;
}

struct xg_net_options hooks_net_options(void)
{
    return xg_net_defaults;
}

void hooks_block(struct xg_block *block, bool is_ready)
{
    void (*hook)(struct xg_block *) = is_ready ? xg_block_ready : xg_block_gone;
    if (hook)
        hook(block);
}

void hooks_net(struct xg_net *net, bool is_ready)
{
    void (*hook)(struct xg_net *) = is_ready ? xg_net_ready : xg_net_gone;
    if (hook)
        hook(net);
}
