/*
 * Frames, between the frontend and lwIP. What comes is copied and waits here, since it comes while
 * events are delivered, and lwIP may be called from the main loop alone.
 */
#include "link.h"

#include "clock.h"
#include "domain.h"
#include "text.h"
#include "xg_os.h"

#include "lwip/etharp.h"
#include "lwip/init.h"
#include "lwip/netif.h"
#include "lwip/pbuf.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

#define WAITING 256u
#define PARTS 16u
/* Of Ethernet, with header and tag. */
#define FRAME_MOST 1518u

static struct netif interface;
static struct pbuf *waiting[WAITING];
static unsigned int written, read; /* they run freely */

/* Frames. */

/* Event or driver context. A frame for which there is no room is lost, as on any network. */
static void receive(struct xg_net *net, const uint8_t *frame, size_t length,
                    const struct xg_net_offload *offload)
{
    (void)net;
    (void)offload;
    if (length > FRAME_MOST || written - read == WAITING)
        return;
    struct pbuf *buffer = pbuf_alloc(PBUF_RAW, (u16_t)length, PBUF_POOL);
    if (!buffer)
        return;
    pbuf_take(buffer, frame, (u16_t)length);
    waiting[written++ % WAITING] = buffer;
    xg_os_wake();
}

static err_t output(struct netif *netif, struct pbuf *buffer)
{
    struct xg_net_part parts[PARTS];
    size_t count = 0;

    for (struct pbuf *each = buffer; each; each = each->next) {
        if (count == PARTS)
            return ERR_BUF;
        parts[count++] = (struct xg_net_part){each->payload, each->len};
    }
    /* With no room lwIP keeps what belongs to a connection, and tries again. */
    return xg_net_send(netif->state, parts, count, 0, 0) ? ERR_MEM : ERR_OK;
}

static err_t set_up(struct netif *netif)
{
    const struct xg_net *net = netif->state;

    netif->name[0] = 'x';
    netif->name[1] = 'n';
    netif->hwaddr_len = sizeof(net->mac);
    memcpy(netif->hwaddr, net->mac, sizeof(net->mac));
    netif->mtu = 1500;
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->output = etharp_output;
    netif->linkoutput = output;
    return ERR_OK;
}

void link_start(struct xg_net *net, uint32_t address, uint32_t mask, uint32_t gateway)
{
    ip4_addr_t own = {lwip_htonl(address)}, of_net = {lwip_htonl(mask)};
    ip4_addr_t way_out = {lwip_htonl(gateway)};

    lwip_init();
    if (!netif_add(&interface, &own, &of_net, &way_out, net, set_up, ethernet_input))
        panic("lwIP refuses the interface");
    netif_set_default(&interface);
    netif_set_up(&interface);
    netif_set_link_up(&interface);
    net->receive = receive;
}

bool link_has_frames(void)
{
    return read != written;
}

void link_poll(void)
{
    while (link_has_frames()) {
        struct pbuf *buffer = waiting[read++ % WAITING];
        if (interface.input(buffer, &interface) != ERR_OK)
            pbuf_free(buffer);
    }
    sys_check_timeouts();
}

uint64_t link_deadline(void)
{
    return clock_now() + sys_timeouts_sleeptime() * MILLISECOND;
}

/* What lwIP calls. */

u32_t sys_now(void)
{
    return (u32_t)(clock_now() / MILLISECOND);
}

/* Not for secrets: xorshift (Marsaglia 2003), stirred by the clock. */
uint32_t random_number(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;

    state ^= clock_now();
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

size_t strlen(const char *text)
{
    size_t length = 0;

    while (text[length])
        length++;
    return length;
}

int strncmp(const char *a, const char *b, size_t size)
{
    for (; size; size--, a++, b++) {
        if (*a != *b)
            return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
        if (!*a)
            return 0;
    }
    return 0;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, (size_t)-1);
}

int atoi(const char *text)
{
    int value = 0;

    while (*text >= '0' && *text <= '9' && value < 100000000)
        value = value * 10 + (*text++ - '0');
    return value;
}
