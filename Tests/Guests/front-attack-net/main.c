/*
 * test: front-attack-net
 * A guest that means ill has an interface, and writes into its rings and keys whatever might hurt the
 * backend and the bridge: impossible indexes, noise, chains without end, lengths that wrap, pieces
 * beyond their page, extras of any kind, grants that are none or revoked, a flood of source addresses.
 * After each attack the backend must offer itself again, and an honest frame must be answered.
 */
#include "raw.h"

static struct raw_device net;
static uint8_t *tx_page, *rx_page, *data;
static grant_ref_t tx_reference, rx_reference, data_reference;

static volatile uint32_t *header(uint8_t *page)
{
    return (volatile uint32_t *)(void *)page;
}

static struct netif_tx_request *tx(uint32_t index)
{
    return (struct netif_tx_request *)(void *)(tx_page + 64) + index % 256;
}

static struct netif_rx_request *rx(uint32_t index)
{
    return (struct netif_rx_request *)(void *)(rx_page + 64) + index % 256;
}

static void publish(uint8_t *page, uint32_t producer)
{
    xenabi_store_release((uint32_t *)(void *)page, producer);
    xg_event_send(net.port);
}

static bool connect(void)
{
    if (!raw_begin(&net))
        return false;
    tx_page = raw_page(&net, false, &tx_reference);
    rx_page = raw_page(&net, false, &rx_reference);
    data = raw_page(&net, false, &data_reference);
    header(tx_page)[1] = header(tx_page)[3] = header(rx_page)[1] = header(rx_page)[3] = 1;
    raw_number(&net, "tx-ring-ref", tx_reference);
    raw_number(&net, "rx-ring-ref", rx_reference);
    raw_number(&net, "event-channel", raw_port(&net));
    raw_number(&net, "request-rx-copy", 1);
    raw_number(&net, "feature-sg", 1);
    raw_number(&net, "feature-gso-tcpv4", 1);
    raw_number(&net, "request-multicast-control", 1);
    raw_state(&net, XenbusStateConnected);
    return raw_await(&net, XenbusStateConnected, XenbusStateConnected);
}

static struct netif_tx_request *frame(uint32_t index, uint16_t flags, uint32_t offset, uint32_t size)
{
    *tx(index) = (struct netif_tx_request){.gref = data_reference, .offset = (uint16_t)offset,
                                           .flags = flags, .id = (uint16_t)index, .size = (uint16_t)size};
    return tx(index);
}

static bool is_served(void)
{
    if (!connect())
        return false;
    frame(0, 0, 0, 60);
    publish(tx_page, 1);
    for (unsigned int i = 0; i < 300 && header(tx_page)[2] == 0; i++)
        raw_pause(10);
    const struct netif_tx_response *answer = (const struct netif_tx_response *)(const void *)tx(0);
    bool served = header(tx_page)[2] == 1 && answer->status == NETIF_RSP_OKAY;
    return raw_end(&net) && served;
}

static void tx_index_ahead(void)
{
    publish(tx_page, 100000);
}

static void tx_index_back(void)
{
    publish(tx_page, 0xffffff00u);
}

static void rx_index_ahead(void)
{
    publish(rx_page, 100000);
    frame(0, 0, 0, 60);
    memset(data, 0xff, 12);
    publish(tx_page, 1);
}

static void noise(void)
{
    raw_scribble(tx_page + 64, XEN_PAGE_SIZE - 64);
    raw_scribble(rx_page + 64, XEN_PAGE_SIZE - 64);
    publish(rx_page, 256);
    publish(tx_page, 256);
}

static void noise_that_changes(void)
{
    for (unsigned int i = 0; i < 256; i++)
        frame(i, 0, 0, 60);
    publish(tx_page, 256);
    for (unsigned int i = 0; i < 20; i++)
        raw_scribble(tx_page, XEN_PAGE_SIZE);
}

static void endless_chain(void)
{
    for (unsigned int i = 0; i < 256; i++)
        frame(i, NETTXF_more_data, 0, 100);
    publish(tx_page, 256);
}

static void open_chain(void)
{
    frame(0, NETTXF_more_data, 0, 1000);
    publish(tx_page, 1);
}

static void lengths(void)
{
    frame(0, 0, 4095, 65535);
    frame(1, 0, 65535, 65535);
    frame(2, 0, 0, 0);
    frame(3, 0, 0, 13);
    frame(4, NETTXF_more_data, 0, 10);
    frame(5, 0, 0, 65535);
    frame(6, NETTXF_more_data, 0, 65535);
    frame(7, NETTXF_more_data, 0, 65535);
    frame(8, 0, 0, 65535);
    publish(tx_page, 9);
}

static void extras(void)
{
    unsigned int at = 0;

    for (unsigned int type = 0; type < 40; type++) {
        frame(at++, NETTXF_extra_info | NETTXF_csum_blank, 0, 200);
        struct netif_extra_info *extra = (struct netif_extra_info *)(void *)tx(at++);
        raw_scribble(extra, sizeof(*extra));
        extra->type = (uint8_t)type;
        extra->flags = 0;
    }
    publish(tx_page, at);
}

static void endless_extras(void)
{
    frame(0, NETTXF_extra_info, 0, 200);
    for (unsigned int i = 1; i < 256; i++) {
        struct netif_extra_info *extra = (struct netif_extra_info *)(void *)tx(i);
        extra->type = XEN_NETIF_EXTRA_TYPE_GSO;
        extra->flags = XEN_NETIF_EXTRA_FLAG_MORE;
    }
    publish(tx_page, 256);
}

static void no_grants(void)
{
    for (unsigned int i = 0; i < 64; i++) {
        frame(i, 0, 0, 60)->gref = (grant_ref_t)raw_random();
        *rx(i) = (struct netif_rx_request){.id = (uint16_t)i, .gref = (grant_ref_t)raw_random()};
    }
    publish(rx_page, 64);
    publish(tx_page, 64);
}

static void revoked(void)
{
    for (unsigned int i = 0; i < 16; i++) {
        uint8_t *page = xg_os_pages(1);
        if (!page)
            break;
        grant_ref_t reference = xg_grant(0, page, true);
        frame(i, 0, 0, 60)->gref = reference;
        publish(tx_page, i + 1);
        xg_grant_end_free(reference, page);
    }
}

/* Headers that lie about every length, from more addresses than a bridge can keep. */
static void flood(void)
{
    uint32_t at = 0;

    for (unsigned int turn = 0; turn < 8; turn++) {
        for (unsigned int i = 0; i < 64; i++, at++) {
            raw_scribble(data + 6, 6);
            memset(data, i & 1 ? 0xff : 0x02, 6);
            data[12] = 0x08;
            data[14] = (uint8_t)(0x40 | i % 16);
            frame(at, i & 2 ? NETTXF_csum_blank : 0, 0, 14 + i * 20);
        }
        publish(tx_page, at);
        raw_pause(10);
    }
}

static void groups(void)
{
    unsigned int at = 0;

    for (unsigned int i = 0; i < 120; i++) {
        frame(at++, NETTXF_extra_info, 0, 0);
        struct netif_extra_info *extra = (struct netif_extra_info *)(void *)tx(at++);
        memset(extra, 0, sizeof(*extra));
        extra->type = XEN_NETIF_EXTRA_TYPE_MCAST_ADD;
        extra->u.mcast.addr[0] = (uint8_t)(i | 1);
        extra->u.mcast.addr[5] = (uint8_t)i;
    }
    publish(tx_page, at);
}

static void state_dance(void)
{
    for (unsigned int i = 0; i < 60; i++)
        raw_state(&net, raw_random() % 11);
}

static const struct {
    const char *name;
    void (*attack)(void);
} attacks[] = {
    {"a tx index far ahead", tx_index_ahead}, {"a tx index that goes back", tx_index_back},
    {"an rx index far ahead", rx_index_ahead}, {"noise", noise}, {"noise that changes", noise_that_changes},
    {"a chain without end", endless_chain}, {"a chain that stays open", open_chain},
    {"lengths that wrap", lengths}, {"extras of any kind", extras}, {"extras without end", endless_extras},
    {"grants that are none", no_grants}, {"grants that are revoked", revoked},
    {"a flood of addresses", flood}, {"a flood of groups", groups}, {"states back and forth", state_dance},
};

void test_main(void)
{
    front_start(0, 0);
    life_check("an interface", raw_find(&net, "vif"));
    for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
        bool connected = connect();
        if (connected) {
            attacks[i].attack();
            raw_pause(50);
        }
        raw_end(&net);
        life_check(attacks[i].name, connected && is_served());
    }
    front_end(life_end());
}
