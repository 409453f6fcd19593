/*
 * test: front-exchange
 * Guests on one bridge exchange datagrams, each with each, whatever their width: a request has a number
 * and bytes that follow from it, its receiver compares every one of them and sends them back, and they
 * are compared again. The guest has an end when all have had their time. Who has a disk writes and reads
 * chunks of it meanwhile. The domain's number says the address: 10.0.2.15 for the first. Words of the
 * command line: peers=N guests in all, which are the first domains (2), seconds=N (30), every=N
 * milliseconds a request to each (20), tell=N seconds to a line about each (10), patience=N seconds for
 * the others to come (60).
 */
#include "front.h"

#include "exchange.h"
#include "xg_block.h"
#include "xg_net.h"

#define ANSWER_TIME (10 * SECONDS)
#define CHUNK_SECTORS 16u
#define CHUNK_WORDS (CHUNK_SECTORS * XG_SECTOR / 8)

static struct xg_net *net;
static struct xg_block *block;
static struct peer peers[PEERS_MOST];
static uint32_t own, peer_count;
static uint64_t wrong, disordered, no_room;

static bool no(void)
{
    return false;
}

static void send(const uint8_t *frame, size_t length, bool is_blank)
{
    struct xg_net_part part = {frame, length};
    struct xg_net_offload offload = {.checksum_blank = is_blank};

    if (!net || xg_net_send(net, &part, 1, &offload, 0))
        no_room++;
}

/* The sum is left to the backend in every other one, where it knows how. */
static void send_datagram(const struct peer *to, enum kind kind, uint32_t width, uint32_t sequence)
{
    static uint8_t frame[FRAME_MOST];
    struct message message = {.kind = kind, .width = width, .sequence = sequence};
    bool is_blank = net && net->checksum && (sequence & 1);

    message.from = kind == ANSWER ? to->number : own;
    message.to = kind == ANSWER ? own : to->number;
    send(frame, make_datagram(frame, net ? net->mac : 0, to->mac, address_of(own), address_of(to->number),
                              &message, is_blank), is_blank);
}

static void send_arp(const uint8_t *mac, uint32_t operation, uint32_t target)
{
    uint8_t frame[ARP_FRAME];

    make_arp(frame, net ? net->mac : 0, mac, operation, address_of(own), target);
    send(frame, sizeof(frame), false);
}

static struct peer *peer_with(uint32_t address)
{
    uint32_t number = address - address_of(0);

    return number >= 1 && number <= peer_count && number != own ? &peers[number - 1] : 0;
}

static void receive_arp(const uint8_t *arp)
{
    struct peer *peer = peer_with(get32(arp + 14));

    if (peer) {
        memcpy(peer->mac, arp + 8, 6);
        peer->is_known = true;
    }
    if (peer && get16(arp + 6) == 1 && get32(arp + 24) == address_of(own))
        send_arp(arp + 8, 2, get32(arp + 14));
}

static void receive_request(struct peer *peer, const struct message *message)
{
    /* One bridge and one queue keep the order, and nothing is doubled. */
    disordered += message->sequence < peer->expected;
    peer->expected = message->sequence + 1;
    peer->width = message->width;
    peer->heard++;
    send_datagram(peer, ANSWER, message->width, message->sequence);
}

static void receive_answer(struct peer *peer, const struct message *message)
{
    struct slot *slot = &peer->slots[message->sequence % WINDOW];

    if (!slot->is_busy || slot->sequence != message->sequence)
        return; /* late: it counts as lost */
    slot->is_busy = false;
    peer->answered++;
}

static void receive(struct xg_net *from, const uint8_t *frame, size_t length,
                    const struct xg_net_offload *offload)
{
    /* The backend can write to the frame while it is looked at. */
    static uint8_t copy[FRAME_MOST];
    struct message message;
    struct peer *peer;

    if (length < ARP_FRAME || length > sizeof(copy)) {
        wrong++; /* nobody here sends such a frame */
        return;
    }
    memcpy(copy, frame, length);
    if (get16(copy + 12) == ETHERTYPE_ARP) {
        receive_arp(copy + ETHERNET);
        return;
    }
    /* The gateway is on this network as well. */
    peer = get16(copy + 12) == ETHERTYPE_IP ? peer_with(get32(copy + ETHERNET + 12)) : 0;
    if (!peer || get32(copy + ETHERNET + 16) != address_of(own))
        return;
    if (!read_datagram(copy, length, offload->validated || offload->checksum_blank, &message) ||
        message.from != (message.kind == ANSWER ? own : peer->number) ||
        message.to != (message.kind == ANSWER ? peer->number : own)) {
        wrong++;
        return;
    }
    switch (message.kind) {
    case REQUEST: receive_request(peer, &message); break;
    case ANSWER: receive_answer(peer, &message); break;
    case END: peer->is_done = true; break;
    }
}

static void ready(struct xg_net *found)
{
    net = found;
    net->receive = receive;
}

static bool is_ready(void)
{
    return net != 0;
}

/* All others, of whom this holds. */
#define ALL(what)                                                                                                      \
    static bool all_##what(void)                                                                                       \
    {                                                                                                                  \
        for (uint32_t i = 0; i < peer_count; i++) {                                                                    \
            if (peers[i].number != own && !peers[i].what)                                                              \
                return false;                                                                                          \
        }                                                                                                              \
        return true;                                                                                                   \
    }
ALL(is_known)
ALL(is_done)

/* The disk: a chunk is written and read back, and then the next one. */

static struct xg_block_request disk_request;
static uint64_t words[CHUNK_WORDS], chunks, disk_errors, disk_wrong;
static bool is_disk_busy;

static uint64_t word_of(uint64_t chunk, unsigned int index)
{
    return (chunk * CHUNK_WORDS + index + own) * 0x9e3779b97f4a7c15ull;
}

static void disk_done(struct xg_block_request *request);

static void disk_submit(enum xg_block_operation operation)
{
    disk_request = (struct xg_block_request){
        .operation = operation, .sector = chunks * CHUNK_SECTORS % block->sectors, .count = CHUNK_SECTORS,
        .data = words, .done = disk_done};
    is_disk_busy = xg_block_submit(block, &disk_request) == 0;
    disk_errors += !is_disk_busy;
}

static void disk_done(struct xg_block_request *request)
{
    is_disk_busy = false;
    disk_errors += request->result != 0;
    if (request->operation == XG_BLOCK_WRITE) {
        memset(words, 0, sizeof(words));
        disk_submit(XG_BLOCK_READ);
        return;
    }
    for (unsigned int i = 0; i < CHUNK_WORDS; i++)
        disk_wrong += words[i] != word_of(chunks, i);
    chunks++;
}

static void disk_step(void)
{
    if (!block || is_disk_busy)
        return;
    for (unsigned int i = 0; i < CHUNK_WORDS; i++)
        words[i] = word_of(chunks, i);
    disk_submit(XG_BLOCK_WRITE);
}

static void disk_ready(struct xg_block *found)
{
    block = found;
}

static bool is_disk_idle(void)
{
    return !is_disk_busy;
}

/* The exchange. */

static void request_from(struct peer *peer, uint64_t now)
{
    struct slot *slot = &peer->slots[peer->sent % WINDOW];

    if (slot->is_busy && now < slot->deadline)
        return; /* a whole window is under way */
    *slot = (struct slot){.is_busy = true, .sequence = (uint32_t)peer->sent, .deadline = now + ANSWER_TIME};
    send_datagram(peer, REQUEST, OWN_WIDTH, (uint32_t)peer->sent++);
}

static bool never_silent = true;

static void tell(uint64_t interval)
{
    for (uint32_t i = 0; i < peer_count; i++) {
        struct peer *peer = &peers[i];
        if (peer->number == own)
            continue;
        never_silent = never_silent && peer->answered > peer->told_answered && peer->heard > peer->told_heard;
        life_say("interval ", life_text(interval), " peer ", life_text(peer->number), " answered ",
                 life_text(peer->answered - peer->told_answered), " heard ",
                 life_text(peer->heard - peer->told_heard), " chunks ", life_text(chunks), (char *)0);
        peer->told_answered = peer->answered;
        peer->told_heard = peer->heard;
    }
}

static void exchange(void)
{
    uint64_t every = life_number("every=", 20) * MILLISECONDS, told = life_number("tell=", 10) * SECONDS;
    uint64_t begin = system_time(), end = begin + life_number("seconds=", 30) * SECONDS;
    uint64_t next = begin, next_told = begin + told, intervals = 0;

    for (uint64_t now = begin; now < end; now = system_time()) {
        if (now >= next) {
            for (uint32_t i = 0; i < peer_count; i++) {
                if (peers[i].number != own)
                    request_from(&peers[i], now);
            }
            disk_step();
            /* What could not be sent in time is not sent in a burst. */
            next = next + every > now ? next + every : now + every;
        }
        if (now >= next_told) {
            tell(intervals++);
            next_told += told;
        }
        life_until(no, next > now ? next - now : 0);
    }
    life_until(is_disk_idle, 30 * SECONDS);
}

/* Serves the others until they have had their time, too; each goes when it knows that of all. */
static void finish(void)
{
    uint64_t deadline = system_time() + life_number("patience=", 60) * SECONDS;
    bool is_over = false;

    while (!is_over && system_time() < deadline) {
        is_over = all_is_done();
        for (uint32_t i = 0; i < peer_count; i++) {
            if (peers[i].number != own)
                send_datagram(&peers[i], END, OWN_WIDTH, 0);
        }
        life_until(no, SECONDS / 2);
    }
}

static void judge(void)
{
    for (uint32_t i = 0; i < peer_count; i++) {
        const struct peer *peer = &peers[i];
        if (peer->number == own)
            continue;
        life_say("total peer ", life_text(peer->number), " own-width ", life_text(OWN_WIDTH), " width ",
                 life_text(peer->width), " sent ", life_text(peer->sent), " answered ",
                 life_text(peer->answered), " heard ", life_text(peer->heard), (char *)0);
    }
    if (block)
        life_say("disk chunks ", life_text(chunks), (char *)0);
    life_say("not sent for want of room ", life_text(no_room), (char *)0);
    life_check("every byte as sent", wrong == 0);
    life_check("in order", disordered == 0);
    life_check("never silent", never_silent);
    life_check("every byte of the disk as written", disk_errors == 0 && disk_wrong == 0);
}

void test_main(void)
{
    static const struct xg_driver *const drivers[] = {&xg_net_driver, &xg_block_driver};
    uint64_t patience = life_number("patience=", 60) * SECONDS, number = 0;
    char text[24];

    xg_net_ready = ready;
    xg_block_ready = disk_ready;
    front_start(drivers, 2);
    if (xg_store_read(0, "domid", text, sizeof(text)) > 0)
        xg_parse_number(text, &number);
    own = (uint32_t)number;
    peer_count = (uint32_t)life_number("peers=", 2);
    peer_count = peer_count > PEERS_MOST ? PEERS_MOST : peer_count;
    for (uint32_t i = 0; i < peer_count; i++)
        peers[i].number = i + 1;
    life_check("an interface", life_until(is_ready, patience));
    for (uint64_t end = system_time() + patience; net && !all_is_known() && system_time() < end;) {
        for (uint32_t i = 0; i < peer_count; i++) {
            if (peers[i].number != own && !peers[i].is_known)
                send_arp(0, 1, address_of(peers[i].number));
        }
        life_until(all_is_known, SECONDS / 2);
    }
    life_check("all others are there", all_is_known());
    if (net && all_is_known()) {
        exchange();
        finish();
        judge();
    }
    front_end(life_end());
}
