/*
 * The daemon. The tree is a list of paths with values: small, and good enough to be right. A
 * transaction works on a copy of the whole, and its commit fails if the tree has changed meanwhile.
 */
#include "store_model.h"

#include <stdlib.h>
#include <string.h>

#define NODES 2048u
#define WATCHES 128u
#define TRANSACTIONS 8u
#define QUEUE (1u << 18)

enum store_fault store_fault;
unsigned int store_fault_count;
bool store_can_reconnect;

struct tree {
    unsigned int count;
    struct node {
        char *path, *value;
    } nodes[NODES];
};

static struct tree tree;
static uint64_t generation;
static struct {
    bool used;
    struct tree tree;
    uint64_t generation;
    bool changed;
} transactions[TRANSACTIONS];
static struct {
    char path[256], token[64];
} watches[WATCHES];
static unsigned int watch_count;
static uint32_t request_consumed, response_produced;
static char request[sizeof(struct xsd_sockmsg) + XENSTORE_PAYLOAD_MAX + 1];
static uint32_t request_got;
static char *out; /* what waits for room in the ring */
static size_t out_used;

static struct node *find(struct tree *in, const char *path)
{
    for (unsigned int i = 0; i < in->count; i++) {
        if (strcmp(in->nodes[i].path, path) == 0)
            return &in->nodes[i];
    }
    return 0;
}

static bool is_below(const char *path, const char *root)
{
    size_t length = strlen(root);
    return strncmp(path, root, length) == 0 && (path[length] == 0 || path[length] == '/');
}

static void set(struct tree *in, const char *path, const char *value)
{
    struct node *node = find(in, path);

    if (!node) {
        char parent[256];
        snprintf(parent, sizeof(parent), "%s", path);
        char *slash = strrchr(parent, '/');
        if (slash && slash != parent) {
            *slash = 0;
            if (!find(in, parent))
                set(in, parent, "");
        }
        if (in->count == NODES)
            abort();
        node = &in->nodes[in->count++];
        node->path = strdup(path);
        node->value = 0;
    }
    free(node->value);
    node->value = strdup(value);
}

static bool take_out(struct tree *in, const char *path)
{
    bool any = false;

    for (unsigned int i = 0; i < in->count;) {
        if (is_below(in->nodes[i].path, path)) {
            free(in->nodes[i].path);
            free(in->nodes[i].value);
            in->nodes[i] = in->nodes[--in->count];
            any = true;
        } else {
            i++;
        }
    }
    return any;
}

static void clear(struct tree *in)
{
    for (unsigned int i = 0; i < in->count; i++) {
        free(in->nodes[i].path);
        free(in->nodes[i].value);
    }
    in->count = 0;
}

static void copy(struct tree *to, const struct tree *from)
{
    clear(to);
    for (unsigned int i = 0; i < from->count; i++) {
        to->nodes[i].path = strdup(from->nodes[i].path);
        to->nodes[i].value = strdup(from->nodes[i].value);
    }
    to->count = from->count;
}

static void queue_message(uint32_t type, uint32_t id, uint32_t transaction, const char *data,
                          size_t length)
{
    struct xsd_sockmsg header = {.type = type, .req_id = id, .tx_id = transaction,
                                 .len = (uint32_t)length};

    if (out_used + sizeof(header) + length > QUEUE)
        return;
    memcpy(out + out_used, &header, sizeof(header));
    memcpy(out + out_used + sizeof(header), data, length);
    out_used += sizeof(header) + length;
}

static void fire_one(unsigned int index, const char *path)
{
    char text[512];
    const char *shown = path;

    /* A relative watch tells relative paths. */
    if (watches[index].path[0] != '/' && is_below(path, HOME))
        shown = path + strlen(HOME) + 1;
    int length = snprintf(text, sizeof(text), "%s%c%s", shown, 0, watches[index].token);
    queue_message(XS_WATCH_EVENT, 0, 0, text, (size_t)length + 1);
}

static void absolute(char *to, size_t size, const char *path)
{
    snprintf(to, size, path[0] == '/' ? "%s%s" : HOME "/%s%s", path, "");
}

static void fire(const char *path)
{
    char full[256];

    generation++;
    for (unsigned int i = 0; i < watch_count; i++) {
        absolute(full, sizeof(full), watches[i].path);
        if (is_below(path, full) || is_below(full, path))
            fire_one(i, path);
    }
}

void store_set(const char *path, const char *value)
{
    set(&tree, path, value);
    fire(path);
}

void store_set_number(const char *path, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
    store_set(path, text);
}

const char *store_get(const char *path)
{
    struct node *node = find(&tree, path);
    return node ? node->value : 0;
}

uint64_t store_get_number(const char *path, uint64_t otherwise)
{
    const char *text = store_get(path);
    return text && *text ? strtoull(text, 0, 10) : otherwise;
}

void store_remove(const char *path)
{
    char gone[256]; /* the path may be the node's own text */

    snprintf(gone, sizeof(gone), "%s", path);
    if (take_out(&tree, gone))
        fire(gone);
}

unsigned int store_watch_count(void)
{
    return watch_count;
}

/* Requests. */

static void answer(const struct xsd_sockmsg *to, const char *data, size_t length)
{
    queue_message(to->type, to->req_id, to->tx_id, data, length);
}

static void refuse(const struct xsd_sockmsg *to, const char *error)
{
    queue_message(XS_ERROR, to->req_id, to->tx_id, error, strlen(error) + 1);
}

static void list(const struct xsd_sockmsg *to, struct tree *in, const char *path)
{
    char names[XENSTORE_PAYLOAD_MAX];
    size_t used = 0, length = strlen(path);

    if (!find(in, path)) {
        refuse(to, "ENOENT");
        return;
    }
    for (unsigned int i = 0; i < in->count; i++) {
        const char *name = in->nodes[i].path + length + 1;
        if (is_below(in->nodes[i].path, path) && in->nodes[i].path[length] &&
            !strchr(name, '/') && used + strlen(name) + 1 <= sizeof(names)) {
            memcpy(names + used, name, strlen(name) + 1);
            used += strlen(name) + 1;
        }
    }
    answer(to, names, used);
}

static void end_transaction(const struct xsd_sockmsg *header, bool commit)
{
    unsigned int index = header->tx_id - 1;

    if (header->tx_id == 0 || index >= TRANSACTIONS || !transactions[index].used) {
        refuse(header, "ENOENT");
        return;
    }
    transactions[index].used = false;
    bool conflict = transactions[index].generation != generation;
    if (store_fault == STORE_EAGAIN && store_fault_count) {
        store_fault_count--;
        conflict = true;
    }
    if (commit && conflict) {
        refuse(header, "EAGAIN");
        return;
    }
    if (commit) {
        struct tree *mine = &transactions[index].tree;
        for (unsigned int i = 0; i < mine->count; i++) {
            struct node *old = find(&tree, mine->nodes[i].path);
            if (!old || strcmp(old->value, mine->nodes[i].value) != 0)
                store_set(mine->nodes[i].path, mine->nodes[i].value);
        }
        for (unsigned int i = 0; i < tree.count;) {
            if (!find(mine, tree.nodes[i].path))
                store_remove(tree.nodes[i].path);
            else
                i++;
        }
    }
    answer(header, "OK", 3);
}

static void serve(const struct xsd_sockmsg *header, char *payload)
{
    char path[256];
    struct tree *in = &tree;
    const char *second = payload + strlen(payload) + 1;
    size_t second_length = header->len > strlen(payload) + 1
                               ? header->len - (strlen(payload) + 1) : 0;

    if (header->tx_id && header->type != XS_TRANSACTION_END) {
        if (header->tx_id > TRANSACTIONS || !transactions[header->tx_id - 1].used) {
            refuse(header, "ENOENT");
            return;
        }
        in = &transactions[header->tx_id - 1].tree;
    }
    absolute(path, sizeof(path), payload);
    struct node *node = find(in, path);
    switch (header->type) {
    case XS_READ:
        if (node)
            answer(header, node->value, strlen(node->value));
        else
            refuse(header, "ENOENT");
        break;
    case XS_WRITE: {
        char value[XENSTORE_PAYLOAD_MAX + 1];
        memcpy(value, second, second_length);
        value[second_length] = 0;
        if (in == &tree)
            store_set(path, value);
        else
            set(in, path, value);
        answer(header, "OK", 3);
        break;
    }
    case XS_MKDIR:
        if (!node && in == &tree)
            store_set(path, "");
        else if (!node)
            set(in, path, "");
        answer(header, "OK", 3);
        break;
    case XS_RM:
        if (!node) {
            refuse(header, "ENOENT");
        } else {
            if (in == &tree)
                store_remove(path);
            else
                take_out(in, path);
            answer(header, "OK", 3);
        }
        break;
    case XS_DIRECTORY:
        list(header, in, path);
        break;
    case XS_GET_PERMS:
        answer(header, "n0\0r1", 6);
        break;
    case XS_SET_PERMS:
        answer(header, "OK", 3);
        break;
    case XS_WATCH:
        if (watch_count == WATCHES) {
            refuse(header, "ENOSPC");
            break;
        }
        snprintf(watches[watch_count].path, sizeof(watches[0].path), "%s", payload);
        snprintf(watches[watch_count].token, sizeof(watches[0].token), "%.*s",
                 (int)second_length, second);
        answer(header, "OK", 3);
        fire_one(watch_count++, payload);
        break;
    case XS_UNWATCH:
        for (unsigned int i = 0; i < watch_count; i++) {
            if (strcmp(watches[i].path, payload) == 0 &&
                strncmp(watches[i].token, second, second_length) == 0) {
                watches[i] = watches[--watch_count];
                answer(header, "OK", 3);
                return;
            }
        }
        refuse(header, "ENOENT");
        break;
    case XS_TRANSACTION_START:
        for (unsigned int i = 0; i < TRANSACTIONS; i++) {
            if (!transactions[i].used) {
                char number[16];
                transactions[i].used = true;
                transactions[i].generation = generation;
                copy(&transactions[i].tree, &tree);
                int length = snprintf(number, sizeof(number), "%u", i + 1);
                answer(header, number, (size_t)length + 1);
                return;
            }
        }
        refuse(header, "ENOSPC");
        break;
    case XS_TRANSACTION_END:
        end_transaction(header, payload[0] == 'T');
        break;
    default:
        refuse(header, "ENOSYS");
    }
}

/* Spoils an answer. True: nothing is to be served in the ordinary way. */
static bool spoil(const struct xsd_sockmsg *header)
{
    if (store_fault == STORE_GOOD || store_fault == STORE_EAGAIN || store_fault_count == 0)
        return false;
    store_fault_count--;
    switch (store_fault) {
    case STORE_WRONG_REQUEST_ID:
        queue_message(header->type, header->req_id + 77, 0, "nonsense", 8);
        return false;
    case STORE_WRONG_TYPE:
        queue_message(header->type ^ 1u, header->req_id, 0, "nonsense", 8);
        return false;
    case STORE_DOUBLED:
        queue_message(header->type, header->req_id - 1, 0, "1", 1);
        return false;
    case STORE_TOO_LONG: {
        struct xsd_sockmsg lie = *header;
        lie.len = XENSTORE_PAYLOAD_MAX + 1;
        memcpy(out + out_used, &lie, sizeof(lie));
        out_used += sizeof(lie);
        return true;
    }
    case STORE_INDEX:
        host_store_page->rsp_prod += XENSTORE_RING_SIZE * 3;
        return true;
    case STORE_SILENT:
        return true;
    case STORE_UNKNOWN_TOKEN:
        queue_message(XS_WATCH_EVENT, 0, 0, "device\0" "999999", 14);
        queue_message(XS_WATCH_EVENT, 0, 0, "device\0" "zzz", 11);
        return false;
    case STORE_WATCH_FLOOD:
        for (unsigned int i = 0; i < 1000; i++)
            fire_one(i % watch_count, HOME "/device");
        return false;
    case STORE_WATCH_WITHOUT_TOKEN:
        queue_message(XS_WATCH_EVENT, 0, 0, "device", 6);
        queue_message(XS_WATCH_EVENT, 0, 0, "", 0);
        return false;
    case STORE_ODD_ERROR:
        queue_message(XS_ERROR, header->req_id, 0, "EVERYTHING", 10);
        return true;
    default:
        return false;
    }
}

static bool pump(void)
{
    struct xenstore_domain_interface *page = host_store_page;
    bool any = false;

    while (request_consumed != page->req_prod) {
        struct xsd_sockmsg *header = (struct xsd_sockmsg *)(void *)request;
        request[request_got++] = page->req[request_consumed++ % XENSTORE_RING_SIZE];
        any = true;
        if (request_got >= sizeof(*header) && request_got == sizeof(*header) + header->len) {
            struct xsd_sockmsg copied = *header;
            request[request_got] = 0;
            request_got = 0;
            if (!spoil(&copied))
                serve(&copied, request + sizeof(copied));
        }
    }
    page->req_cons = request_consumed;
    size_t sent = 0;
    while (sent < out_used && page->rsp_prod - page->rsp_cons < XENSTORE_RING_SIZE) {
        page->rsp[response_produced++ % XENSTORE_RING_SIZE] = out[sent++];
        page->rsp_prod = response_produced;
    }
    memmove(out, out + sent, out_used - sent);
    out_used -= sent;
    return any || sent;
}

static bool step(void *context)
{
    (void)context;
    host_port_take(HOST_STORE_PORT);
    if (host_store_page->connection == XENSTORE_RECONNECT && store_can_reconnect) {
        host_store_page->req_cons = host_store_page->req_prod = 0;
        host_store_page->rsp_cons = host_store_page->rsp_prod = 0;
        request_consumed = response_produced = request_got = 0;
        out_used = 0;
        watch_count = 0;
        host_store_page->connection = XENSTORE_CONNECTED;
        host_port_notify(HOST_STORE_PORT);
        return true;
    }
    bool any = pump();
    if (any)
        host_port_notify(HOST_STORE_PORT);
    return any;
}

void store_model_start(void)
{
    out = malloc(QUEUE);
    host_store_page->server_features =
        store_can_reconnect ? XENSTORE_SERVER_FEATURE_RECONNECTION : 0;
    set(&tree, HOME "/device", "");
    set(&tree, HOME "/control", "");
    host_add_model(step, 0);
}
