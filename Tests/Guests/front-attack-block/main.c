/*
 * test: front-attack-block
 * A guest that means ill has a disk, and writes into its ring and its keys whatever might hurt the
 * backend: impossible indexes, requests of noise, grants that are none, read-only or revoked under way,
 * sectors beyond the disk and around the end of numbers, indirect requests of any shape, slots that
 * change while they are read, states back and forth. Between any two attacks the backend must offer
 * itself again, and an honest read must be answered; "rounds=N" of all of them (1).
 */
#include "raw.h"

static struct raw_device disk;
static uint8_t *ring_page, *data;
static grant_ref_t ring_reference, data_reference;
static uint64_t next_id = 1;

static volatile uint32_t *header(void)
{
    return (volatile uint32_t *)(void *)ring_page;
}

static struct blkif_request *slot(uint32_t index)
{
    return (struct blkif_request *)(void *)(ring_page + 64) + index % 32;
}

static void publish(uint32_t producer)
{
    xenabi_store_release((uint32_t *)(void *)ring_page, producer);
    xg_event_send(disk.port);
}

/* Connects with one ring as every honest frontend does. */
static bool connect(void)
{
    if (!raw_begin(&disk))
        return false;
    ring_page = raw_page(&disk, false, &ring_reference);
    data = raw_page(&disk, false, &data_reference);
    header()[1] = header()[3] = 1;
    raw_number(&disk, "ring-ref", ring_reference);
    raw_number(&disk, "event-channel", raw_port(&disk));
    raw_write(&disk, "protocol", XEN_IO_PROTO_ABI_NATIVE);
    raw_state(&disk, XenbusStateInitialised);
    return raw_await(&disk, XenbusStateConnected, XenbusStateConnected);
}

static struct blkif_request *request(uint32_t index, uint8_t operation)
{
    struct blkif_request *made = slot(index);

    *made = (struct blkif_request){.operation = operation, .nr_segments = 1, .id = next_id++};
    made->seg[0].gref = data_reference;
    made->seg[0].last_sect = 7;
    return made;
}

/* One honest read: the backend is alive, and serves this ring. */
static bool is_served(void)
{
    if (!connect())
        return false;
    request(0, BLKIF_OP_READ);
    publish(1);
    for (unsigned int i = 0; i < 300 && header()[2] == 0; i++)
        raw_pause(10);
    const struct blkif_response *answer = (const struct blkif_response *)(const void *)slot(0);
    bool served = header()[2] == 1 && answer->status == BLKIF_RSP_OKAY;
    return raw_end(&disk) && served;
}

static void single(struct blkif_request *made)
{
    publish((uint32_t)(made - slot(0)) + 1);
    raw_pause(30);
}

static void index_ahead(void)
{
    publish(1000);
}

static void index_back(void)
{
    request(0, BLKIF_OP_READ);
    publish(1);
    raw_pause(20);
    publish(0xfffffff0u);
}

static void noise(void)
{
    raw_scribble(ring_page + 64, XEN_PAGE_SIZE - 64);
    publish(32);
}

static void noise_that_changes(void)
{
    for (unsigned int i = 0; i < 32; i++)
        request(i, (uint8_t)i);
    publish(32);
    for (unsigned int i = 0; i < 20; i++)
        raw_scribble(ring_page, XEN_PAGE_SIZE);
}

static void no_grants(void)
{
    for (unsigned int i = 0; i < 32; i++)
        request(i, i & 1)->seg[0].gref = i < 16 ? i * 1000003u : 0xfffffff0u + i;
    publish(32);
}

static void read_only_page(void)
{
    grant_ref_t reference;

    raw_page(&disk, true, &reference);
    request(0, BLKIF_OP_READ)->seg[0].gref = reference;
    single(slot(0));
}

static void revoked(void)
{
    for (unsigned int i = 0; i < 16; i++) {
        grant_ref_t reference;
        uint8_t *page = xg_os_pages(1);
        if (!page)
            break;
        reference = xg_grant(0, page, false);
        request(i, BLKIF_OP_READ)->seg[0].gref = reference;
        publish(i + 1);
        xg_grant_end_free(reference, page);
    }
}

static void beyond_the_disk(void)
{
    static const uint64_t sectors[] = {2041, 2048, 1ull << 32, 1ull << 55, 1ull << 63, ~0ull - 7, ~0ull};

    for (unsigned int i = 0; i < sizeof(sectors) / sizeof(sectors[0]); i++)
        request(i, i & 1)->sector_number = sectors[i];
    publish(7);
}

static void segments(void)
{
    request(0, BLKIF_OP_READ)->nr_segments = 255;
    request(1, BLKIF_OP_WRITE)->nr_segments = 12;
    request(2, BLKIF_OP_READ)->nr_segments = 0;
    request(3, BLKIF_OP_READ)->seg[0].first_sect = 8;
    request(4, BLKIF_OP_READ)->seg[0].first_sect = 7;
    slot(4)->seg[0].last_sect = 6;
    request(5, BLKIF_OP_READ)->seg[0].last_sect = 255;
    publish(6);
}

static void operations(void)
{
    for (unsigned int i = 0; i < 32; i++)
        request(i, (uint8_t)(i < 16 ? i : 240 + i - 16));
    publish(32);
}

static void indirect(void)
{
    for (unsigned int i = 0; i < 24; i++) {
        struct blkif_request_indirect *made = (struct blkif_request_indirect *)(void *)slot(i);
        grant_ref_t reference;
        uint8_t *page = raw_page(&disk, i & 1, &reference);
        *made = (struct blkif_request_indirect){
            .operation = BLKIF_OP_INDIRECT, .indirect_op = (uint8_t)(i % 8),
            .nr_segments = (uint16_t)(i < 8 ? 65535 : i * 40), .id = next_id++};
        for (unsigned int at = 0; at < BLKIF_MAX_INDIRECT_PAGES_PER_REQUEST; at++)
            made->indirect_grefs[at] = i < 12 ? reference : (grant_ref_t)raw_random();
        if (i & 2)
            raw_scribble(page, XEN_PAGE_SIZE);
    }
    publish(24);
}

static void discards(void)
{
    for (unsigned int i = 0; i < 4; i++) {
        struct blkif_request_discard *made = (struct blkif_request_discard *)(void *)slot(i);
        *made = (struct blkif_request_discard){.operation = BLKIF_OP_DISCARD, .flag = (uint8_t)(i * 77),
                                               .id = next_id++, .sector_number = ~0ull - i * 1024,
                                               .nr_sectors = i & 1 ? ~0ull : 2048};
    }
    publish(4);
}

static void equal_ids(void)
{
    for (unsigned int i = 0; i < 32; i++)
        request(i, BLKIF_OP_READ)->id = 7;
    publish(32);
}

static void event_storm(void)
{
    for (unsigned int i = 0; i < 2000; i++)
        xg_event_send(disk.port);
}

static void own_indexes(void)
{
    request(0, BLKIF_OP_READ);
    header()[1] = 0x80000000u;
    header()[2] = 0x12345678u;
    header()[3] = 0xffffffffu;
    publish(1);
}

static void leaves_under_way(void)
{
    for (unsigned int i = 0; i < 32; i++)
        request(i, BLKIF_OP_READ)->sector_number = i * 8;
    publish(32);
    raw_state(&disk, XenbusStateClosed);
}

static void state_dance(void)
{
    for (unsigned int i = 0; i < 60; i++)
        raw_state(&disk, raw_random() % 11);
}

static void keys_change(void)
{
    raw_write(&disk, "ring-ref", "99999999999999999999");
    raw_number(&disk, "event-channel", 0);
    raw_write(&disk, "protocol", "");
    raw_write(&disk, "state", "four");
    raw_write(&disk, "state", "");
}

static void port_goes(void)
{
    request(0, BLKIF_OP_READ);
    publish(1);
    xg_event_close(disk.port, true);
    disk.port = XG_NO_PORT;
}

/* Attacks on a ring that is served. */
static const struct {
    const char *name;
    void (*attack)(void);
} attacks[] = {
    {"an index far ahead", index_ahead}, {"an index that goes back", index_back},
    {"noise", noise}, {"noise that changes", noise_that_changes},
    {"grants that are none", no_grants}, {"a page to read alone", read_only_page},
    {"grants that are revoked", revoked}, {"sectors beyond the disk", beyond_the_disk},
    {"segments of any shape", segments}, {"every operation", operations},
    {"indirect requests of any shape", indirect}, {"discards of everything", discards},
    {"one id for all", equal_ids}, {"an event storm", event_storm},
    {"the backend's indexes", own_indexes}, {"leaving with requests under way", leaves_under_way},
    {"states back and forth", state_dance}, {"keys that change", keys_change},
    {"the port is closed", port_goes},
};

/* Keys with which no connection can be made. */
static const struct {
    const char *key, *value;
} bad_keys[] = {
    {"ring-ref", "4294967295"}, {"ring-ref", "7"},          {"ring-ref", "-1"},
    {"ring-ref", "many"},       {"event-channel", "65535"}, {"event-channel", "99999999999"},
    {"protocol", "x86_16-abi"}, {"ring-page-order", "99"},  {"ring-page-order", "4"},
    {"num-ring-pages", "3"},    {"num-ring-pages", "0"},    {"multi-queue-num-queues", "0"},
    {"multi-queue-num-queues", "4294967296"}, {"multi-queue-num-queues", "4"},
};

static bool bad_key(const char *key, const char *value)
{
    if (!raw_begin(&disk))
        return false;
    ring_page = raw_page(&disk, false, &ring_reference);
    raw_number(&disk, "ring-ref", ring_reference);
    raw_number(&disk, "event-channel", raw_port(&disk));
    raw_write(&disk, key, value);
    raw_state(&disk, XenbusStateInitialised);
    bool refused = raw_await(&disk, XenbusStateClosing, XenbusStateClosed);
    return raw_end(&disk) && refused;
}

void test_main(void)
{
    uint64_t rounds = life_number("attack-rounds=", 1);

    front_start(0, 0);
    life_check("a disk", raw_find(&disk, "vbd"));
    for (uint64_t round = 0; round < rounds; round++) {
        for (size_t i = 0; i < sizeof(attacks) / sizeof(attacks[0]); i++) {
            bool connected = connect();
            if (connected) {
                attacks[i].attack();
                raw_pause(50);
            }
            raw_end(&disk);
            bool served = is_served();
            if (!connected || !served || round == 0)
                life_check(attacks[i].name, connected && served);
        }
        for (size_t i = 0; i < sizeof(bad_keys) / sizeof(bad_keys[0]); i++) {
            if (!bad_key(bad_keys[i].key, bad_keys[i].value)) {
                life_say("not refused: ", bad_keys[i].key, "=", bad_keys[i].value, (char *)0);
                life_check("bad keys are refused", false);
            }
        }
        if (!is_served())
            life_check("served after bad keys", false);
    }
    front_end(life_end());
}
