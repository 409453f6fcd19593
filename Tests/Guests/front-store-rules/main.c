/*
 * test: front-store-rules
 * A guest sends xenstore the requests of script.h over its page, byte by byte as they stand there, and
 * prints each with its answer: zero bytes as `|`, errors behind `!`. What is said by a daemon that
 * is not the one of Xen 4.17 differs in a line. Prints on its own console alone.
 */
#include "front.h"

#include "script.h"
#include "xg_event.h"
#include "xg_text.h"

#define PATIENCE (30 * SECONDS)
#define VARIABLES 4u
#define WAITING 64u

static struct xenabi_stream stream;
static evtchn_port_t port;
static uint32_t variables[VARIABLES];
static char payload[2 * XENSTORE_PAYLOAD_MAX];
static size_t length;

/* A message that has come: its payload ends with a zero byte of ours. */
static struct xsd_sockmsg header;
static char body[XENSTORE_PAYLOAD_MAX + 1];
static struct event {
    uint32_t length;
    char text[128];
} events[WAITING];
static unsigned int waiting;

static const struct {
    const char *name;
    uint32_t type;
} requests[] = {
    {"directory", XS_DIRECTORY},   {"read", XS_READ},
    {"getperms", XS_GET_PERMS},    {"watch", XS_WATCH},
    {"unwatch", XS_UNWATCH},       {"start", XS_TRANSACTION_START},
    {"end", XS_TRANSACTION_END},   {"introduce", XS_INTRODUCE},
    {"release", XS_RELEASE},       {"path", XS_GET_DOMAIN_PATH},
    {"write", XS_WRITE},           {"mkdir", XS_MKDIR},
    {"rm", XS_RM},                 {"setperms", XS_SET_PERMS},
    {"part", XS_DIRECTORY_PART},   {"introduced", XS_IS_DOMAIN_INTRODUCED},
    {"resume", XS_RESUME},         {"settarget", XS_SET_TARGET},
    {"reset", XS_RESET_WATCHES},   {"control", XS_CONTROL},
};

static void put(const char *text, size_t count)
{
    xg_console_write_all(text, count, system_time() + PATIENCE);
}

static void put_text(const char *text)
{
    put(text, xg_length(text));
}

/* A payload, each zero byte as a bar. */
static void put_payload(const char *text, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        put(text[i] ? &text[i] : "|", 1);
}

static void heard(void *context)
{
    (void)context;
}

static bool move(bool in, void *data, size_t count)
{
    uint64_t deadline = system_time() + PATIENCE;
    char *next = data;

    while (count) {
        int32_t moved = in ? xenabi_stream_read(&stream, next, (uint32_t)count)
                           : xenabi_stream_write(&stream, next, (uint32_t)count);
        if (moved < 0 || (!moved && system_time() > deadline))
            return false;
        if (moved)
            xg_event_send(port);
        else
            xg_os_wait(system_time() + SECONDS / 10);
        next += moved;
        count -= (size_t)moved;
    }
    return true;
}

/* Takes messages until one is no event; events are kept. */
static bool receive(uint32_t id)
{
    for (;;) {
        if (!move(true, &header, sizeof(header)) || header.len > XENSTORE_PAYLOAD_MAX ||
            !move(true, body, header.len))
            return false;
        body[header.len] = 0;
        if (header.type != XS_WATCH_EVENT)
            return header.req_id == id;
        if (waiting < WAITING && header.len <= sizeof(events[0].text)) {
            events[waiting].length = header.len;
            memcpy(events[waiting++].text, body, header.len);
        }
    }
}

static bool ask(uint32_t type, uint32_t transaction)
{
    static uint32_t id;
    struct xsd_sockmsg message = {
        .type = type, .req_id = ++id, .tx_id = transaction, .len = (uint32_t)length};

    return move(false, &message, sizeof(message)) && move(false, payload, length) && receive(id);
}

/* Whatever has come before the answer to a harmless question. */
static void put_events(void)
{
    length = 6;
    memcpy(payload, "domid", 6);
    bool good = ask(XS_READ, 0);
    put_text("=");
    for (unsigned int i = 0; i < waiting; i++) {
        put_text(" [");
        put_payload(events[i].text, events[i].length);
        put_text("]");
    }
    put_text(good ? "\n" : " (no answer)\n");
    waiting = 0;
}

static uint64_t number_at(const char *text)
{
    uint64_t value = 0;

    while (*text >= '0' && *text <= '9')
        value = value * 10 + (uint64_t)(*text++ - '0');
    return value;
}

static void add(const char *text, size_t count)
{
    if (length + count <= sizeof(payload))
        memcpy(payload + length, text, count);
    length += count;
}

/* One word of a request, with the repetition's number in place of `%`. */
static void add_word(const char *word, size_t count, uint64_t repetition)
{
    bool is_open = *word == '=';

    word += is_open;
    count -= is_open;
    if (count >= 5 && memcmp(word, "long:", 5) == 0) {
        for (uint64_t left = number_at(word + 5); left; left--)
            add("x", 1);
    } else if (count != 5 || memcmp(word, "empty", 5)) {
        for (size_t i = 0; i < count; i++) {
            if (word[i] != '%') {
                add(word + i, 1);
                continue;
            }
            const char *text = life_text(repetition);
            add(text, xg_length(text));
        }
    }
    if (!is_open)
        add("", 1);
}

/* Sends a line's request; false: no answer. */
static bool request(const char *line, uint64_t repetition, uint32_t *type, uint32_t **variable)
{
    /* What begins a transaction is in none itself; `type6` may be. */
    bool begins = xg_begins(line, "start");
    uint32_t transaction = 0;

    *type = 0xffff;
    *variable = 0;
    length = 0;
    for (unsigned int word = 0; *line; word++) {
        size_t count = 0;
        while (line[count] && line[count] != ' ')
            count++;
        if (!word) {
            if (count > 4 && memcmp(line, "type", 4) == 0)
                *type = (uint32_t)number_at(line + 4);
            for (size_t i = 0; i < sizeof(requests) / sizeof(*requests); i++) {
                if (xg_length(requests[i].name) == count &&
                    memcmp(requests[i].name, line, count) == 0)
                    *type = requests[i].type;
            }
        } else if (count > 2 && memcmp(line, "@@", 2) == 0) {
            *variable = line[2] == '=' ? 0 : &variables[number_at(line + 2) % VARIABLES];
            if (!begins || !*variable)
                transaction = *variable ? **variable : (uint32_t)number_at(line + 3);
        } else {
            add_word(line, count, repetition);
        }
        line += count;
        while (*line == ' ')
            line++;
    }
    return ask(*type, transaction);
}

static void put_answer(uint32_t type, uint32_t *variable)
{
    put_text("= ");
    if (header.type == XS_ERROR) {
        put_text("!");
        put_text(body);
    } else if (type == XS_TRANSACTION_START) {
        if (variable)
            *variable = (uint32_t)number_at(body);
        put_text("(number)|");
    } else if (type == XS_DIRECTORY_PART) {
        size_t first = xg_length(body);
        put_text("(generation)");
        put_payload(body + first, header.len - (uint32_t)first);
    } else {
        put_payload(body, header.len);
    }
    put_text(header.type == type || header.type == XS_ERROR ? "\n" : " (another type)\n");
}

static void run(const char *line)
{
    uint32_t type, *variable;
    uint64_t count = 1, done = 0;
    const char *text = line;

    if (*line == '#')
        return;
    if (xg_equal(line, "events")) {
        put_events();
        return;
    }
    if (xg_begins(line, "repeat ")) {
        count = number_at(line + 7);
        text = line + 7;
        while (*text != ' ')
            text++;
        text++;
    }
    for (; done < count; done++) {
        if (!request(text, done, &type, &variable)) {
            put_text("= (no answer)\n");
            return;
        }
        if (header.type == XS_ERROR)
            break;
    }
    if (count > 1) {
        put_text("= ");
        put_text(life_text(done));
        put_text(" times, then:\n");
    }
    put_answer(type, variable);
}

void test_main(void)
{
    struct xg_start start = {0};

    front_start(0, 0);
    xg_store_stop(); /* its page is ours from here on */
    xg_os_start(&start);
    struct xenstore_domain_interface *page = xg_os_map(&start.store_frame, 1);
    port = start.store_port;
    life_check("a page", page && xenstore_domain_interface_begin_guest(&stream, page) != XENABI_RING_BROKEN &&
                            xg_event_attach(port, heard, 0) == 0);
    for (size_t i = 0; page && i < sizeof(script) / sizeof(*script); i++) {
        put_text(script[i]);
        put_text("\n");
        run(script[i]);
    }
    front_end(life_end());
}
