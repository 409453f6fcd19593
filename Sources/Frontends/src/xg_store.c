/*
 * Xenstore: messages over a page of two byte rings.
 *
 *     request()  --> header, path, value -->  req ring  --> xenstored
 *     received() <-- one message at a time <-- rsp ring <--
 *        |-- answer to the request that waits: kept in `answer`
 *        |-- watch event: marks the watch, which is looked up by its token
 *        '-- anything else: an answer that nobody waits for any more, dropped
 *
 * One request is under way at a time. Watch events take no memory, however many come: a mark is a
 * mark, and a watch tells nothing but that something changed. A daemon that breaks the protocol is
 * left: requests end with -XEN_EIO, unless it offers to begin again.
 */
#include "xg_store.h"

#include "xg_event.h"

#define REQUEST_TIMEOUT 30000000000ull /* nanoseconds */
#define RECONNECT_TIMEOUT 1000000000ull
#define MESSAGES_PER_EVENT 64u
#define WATCHES_PER_RUN 64u

static struct {
    struct xenstore_domain_interface *page;
    struct xenabi_stream stream;
    evtchn_port_t port;
    bool broken, mending;

    /* The message that is coming in. */
    struct xsd_sockmsg header;
    uint32_t header_got, payload_got;
    char payload[XENSTORE_PAYLOAD_MAX + 1];

    /* The request that is under way. */
    bool busy, answered;
    uint32_t request_id, request_type;
    uint32_t answer_type, answer_length;
    char answer[XENSTORE_PAYLOAD_MAX + 1];

    struct xg_watch *watches;
    uint32_t last_token;
    bool any_fired;
} store;

static const struct {
    const char *name;
    int number;
} errors[] = {
    {"EINVAL", XEN_EINVAL}, {"EACCES", XEN_EACCES}, {"EEXIST", XEN_EEXIST},
    {"EISDIR", XEN_EISDIR}, {"ENOENT", XEN_ENOENT}, {"ENOMEM", XEN_ENOMEM},
    {"ENOSPC", XEN_ENOSPC}, {"EIO", XEN_EIO},       {"ENOTEMPTY", XEN_ENOTEMPTY},
    {"ENOSYS", XEN_ENOSYS}, {"EROFS", XEN_EROFS},   {"EBUSY", XEN_EBUSY},
    {"EAGAIN", XEN_EAGAIN}, {"EISCONN", XEN_EISCONN}, {"E2BIG", XEN_E2BIG},
    {"EPERM", XEN_EPERM},
};

static int error_number(const char *name)
{
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        if (xg_equal(errors[i].name, name))
            return -errors[i].number;
    }
    return -XEN_EIO;
}

static void mark_watch(void)
{
    const char *token = store.payload;
    const char *end = store.payload + store.header.len;
    uint64_t number;

    while (token < end && *token)
        token++;
    /* The path is skipped; the payload has a zero of ours behind it, so that the token ends. */
    if (token == end || !xg_parse_number(token + 1, &number) || number == 0)
        return;
    for (struct xg_watch *watch = store.watches; watch; watch = watch->next) {
        if (watch->token == number) {
            watch->fired = true;
            store.any_fired = true;
            xg_os_wake();
            return;
        }
    }
}

static void message_complete(void)
{
    store.payload[store.header.len] = 0;
    if (store.header.type == XS_WATCH_EVENT) {
        mark_watch();
    } else if (store.busy && !store.answered && store.header.req_id == store.request_id &&
               (store.header.type == store.request_type || store.header.type == XS_ERROR)) {
        store.answered = true;
        store.answer_type = store.header.type;
        store.answer_length = store.header.len;
        __builtin_memcpy(store.answer, store.payload, store.header.len + 1);
    }
    store.header_got = store.payload_got = 0;
}

static bool receive_into(void *place, uint32_t *got, uint32_t wanted)
{
    int32_t count = xenabi_stream_read(&store.stream, (char *)place + *got, wanted - *got);

    if (count < 0)
        store.broken = true;
    else
        *got += (uint32_t)count;
    return !store.broken && *got == wanted;
}

/* Event context. */
static void received(void *context)
{
    uint32_t budget = MESSAGES_PER_EVENT, before = store.stream.consumed;

    (void)context;
    if (!store.page)
        return;
    while (!store.broken && budget) {
        if (store.header_got < sizeof(store.header)) {
            if (!receive_into(&store.header, &store.header_got, sizeof(store.header)))
                break;
            /* A longer payload is against the protocol, and would not fit. */
            if (store.header.len > XENSTORE_PAYLOAD_MAX) {
                store.broken = true;
                break;
            }
        }
        if (!receive_into(store.payload, &store.payload_got, store.header.len))
            break;
        message_complete();
        budget--;
    }
    if (store.stream.consumed != before)
        xg_event_send(store.port); /* there is room again */
    if (!budget)
        xg_os_wake();
}

static bool send_bytes(const void *data, uint32_t length, uint64_t deadline)
{
    const char *next = data;

    while (length) {
        int32_t count = xenabi_stream_write(&store.stream, next, length);
        if (count < 0 || store.broken) {
            store.broken = true;
            return false;
        }
        if (count) {
            xg_event_send(store.port);
            next += count;
            length -= (uint32_t)count;
        } else if (xg_os_time() >= deadline) {
            store.broken = true; /* half a message is in the ring: what follows would be misread */
            return false;
        } else {
            xg_os_wait(deadline);
        }
    }
    return true;
}

/* One piece of a request. */
struct part {
    const void *data;
    size_t length;
};

static int request_now(uint32_t type, uint32_t transaction, const struct part *parts, size_t count)
{
    uint64_t deadline = xg_os_time() + REQUEST_TIMEOUT;
    struct xsd_sockmsg header = {.type = type, .tx_id = transaction, .len = 0};
    size_t length = 0;

    for (size_t i = 0; i < count; i++)
        length += parts[i].length;
    if (length > XENSTORE_PAYLOAD_MAX)
        return -XEN_E2BIG;
    header.len = (uint32_t)length;
    header.req_id = ++store.request_id;
    store.request_type = type;
    store.answered = false;
    if (!send_bytes(&header, sizeof(header), deadline))
        return -XEN_EIO;
    for (size_t i = 0; i < count; i++) {
        if (!send_bytes(parts[i].data, (uint32_t)parts[i].length, deadline))
            return -XEN_EIO;
    }
    while (!store.answered) {
        received(0); /* what the last event left over, or came without one */
        if (store.answered)
            break;
        if (store.broken)
            return -XEN_EIO;
        if (xg_os_time() >= deadline)
            return -XEN_ETIMEDOUT;
        xg_os_wait(deadline);
    }
    if (store.answer_type == XS_ERROR)
        return error_number(store.answer);
    return (int)store.answer_length;
}

static int reconnect(void);

/* The answer's payload stands in store.answer; its length is the result. */
static int request(uint32_t type, uint32_t transaction, const struct part *parts, size_t count)
{
    int result;

    if (!store.page)
        return -XEN_ENOTCONN;
    while (store.busy) /* another thread's, while it sleeps in xg_os_wait */
        xg_os_wait(xg_os_time() + REQUEST_TIMEOUT);
    /* What breaks again while it is mended stays broken until the next request. */
    if (store.broken && (store.mending || reconnect()))
        return -XEN_EIO;
    store.busy = true;
    result = request_now(type, transaction, parts, count);
    store.busy = false;
    return result;
}

static int simple(uint32_t type, uint32_t transaction, const char *path)
{
    struct part part = {path, xg_length(path) + 1};
    return request(type, transaction, &part, 1);
}

static int copied(int result, char *buffer, size_t size)
{
    if (result < 0)
        return result;
    if ((size_t)result >= size)
        return -XEN_E2BIG;
    __builtin_memcpy(buffer, store.answer, (size_t)result);
    buffer[result] = 0;
    return result;
}

static int watch_send(struct xg_watch *watch)
{
    char token[21];

    xg_print_number(token, watch->token);
    struct part parts[] = {{watch->path, xg_length(watch->path) + 1}, {token, xg_length(token) + 1}};
    int result = request(XS_WATCH, XG_NO_TRANSACTION, parts, 2);
    return result < 0 ? result : 0;
}

static int watches_renew(void)
{
    int first_error = 0;

    for (struct xg_watch *watch = store.watches; watch; watch = watch->next) {
        int error = watch_send(watch);
        watch->fired = store.any_fired = true; /* what changed meanwhile was told to nobody */
        if (error && !first_error)
            first_error = error;
    }
    return first_error;
}

static int begin(void)
{
    store.header_got = store.payload_got = 0;
    store.broken =
        xenstore_domain_interface_begin_guest(&store.stream, store.page) == XENABI_RING_BROKEN;
    return store.broken ? -XEN_EIO : 0;
}

static int connect(void)
{
    struct xg_start start = {0};

    xg_os_start(&start);
    if (!start.store_frame)
        return -XEN_ENODEV;
    store.page = xg_os_map(&start.store_frame, 1);
    if (!store.page)
        return -XEN_ENOMEM;
    store.busy = false;
    int error = begin();
    if (error)
        return error;
    store.port = start.store_port;
    return xg_event_attach(store.port, received, 0);
}

/* Asks a daemon that can do so to clear the rings, and sets the watches again. */
static int reconnect(void)
{
    uint64_t deadline = xg_os_time() + RECONNECT_TIMEOUT;

    if (!(xenabi_load_acquire(&store.page->server_features) &
          XENSTORE_SERVER_FEATURE_RECONNECTION))
        return -XEN_EIO;
    xenabi_store_release(&store.page->connection, XENSTORE_RECONNECT);
    xg_event_send(store.port);
    while (xenabi_load_acquire(&store.page->connection) != XENSTORE_CONNECTED) {
        if (xg_os_time() >= deadline)
            return -XEN_EIO;
        xg_os_wait(deadline);
    }
    int error = begin();
    if (error)
        return error;
    store.mending = true;
    error = watches_renew();
    store.mending = false;
    return error;
}

int xg_store_start(void)
{
    store.watches = 0;
    store.any_fired = false;
    return connect();
}

int xg_store_resume(void)
{
    int error = connect();
    return error ? error : watches_renew();
}

void xg_store_stop(void)
{
    xg_event_close(store.port, false);
    store.page = 0;
}

int xg_store_read(uint32_t transaction, const char *path, char *buffer, size_t size)
{
    return copied(simple(XS_READ, transaction, path), buffer, size);
}

int xg_store_write(uint32_t transaction, const char *path, const char *value)
{
    struct part parts[] = {{path, xg_length(path) + 1}, {value, xg_length(value)}};
    int result = request(XS_WRITE, transaction, parts, 2);
    return result < 0 ? result : 0;
}

int xg_store_mkdir(uint32_t transaction, const char *path)
{
    int result = simple(XS_MKDIR, transaction, path);
    return result < 0 ? result : 0;
}

int xg_store_remove(uint32_t transaction, const char *path)
{
    int result = simple(XS_RM, transaction, path);
    return result < 0 ? result : 0;
}

int xg_store_list(uint32_t transaction, const char *path, char *buffer, size_t size)
{
    return copied(simple(XS_DIRECTORY, transaction, path), buffer, size);
}

int xg_store_get_permissions(uint32_t transaction, const char *path, char *buffer, size_t size)
{
    return copied(simple(XS_GET_PERMS, transaction, path), buffer, size);
}

int xg_store_set_permissions(uint32_t transaction, const char *path, const char *permissions,
                             size_t size)
{
    struct part parts[] = {{path, xg_length(path) + 1}, {permissions, size}};
    int result = request(XS_SET_PERMS, transaction, parts, 2);
    return result < 0 ? result : 0;
}

int xg_store_begin(uint32_t *transaction)
{
    uint64_t number;
    int result = simple(XS_TRANSACTION_START, XG_NO_TRANSACTION, "");

    if (result < 0)
        return result;
    if (!xg_parse_number(store.answer, &number) || number == 0 || number > UINT32_MAX)
        return -XEN_EIO;
    *transaction = (uint32_t)number;
    return 0;
}

int xg_store_commit(uint32_t transaction)
{
    int result = simple(XS_TRANSACTION_END, transaction, "T");
    return result < 0 ? result : 0;
}

int xg_store_abort(uint32_t transaction)
{
    int result = simple(XS_TRANSACTION_END, transaction, "F");
    return result < 0 ? result : 0;
}

uint64_t xg_store_number(const char *directory, const char *key, uint64_t otherwise)
{
    char path[XG_PATH], text[24];
    uint64_t value;

    if (!xg_join(path, sizeof(path), directory, "/", key, (char *)0) ||
        xg_store_read(XG_NO_TRANSACTION, path, text, sizeof(text)) < 0 ||
        !xg_parse_number(text, &value))
        return otherwise;
    return value;
}

int xg_store_write_number(uint32_t transaction, const char *directory, const char *key,
                          uint64_t value)
{
    char path[XG_PATH], text[21];

    if (!xg_join(path, sizeof(path), directory, "/", key, (char *)0))
        return -XEN_E2BIG;
    xg_print_number(text, value);
    return xg_store_write(transaction, path, text);
}

int xg_store_write_keys(uint32_t transaction, const char *directory, const struct xg_key *keys,
                        size_t count)
{
    int error = 0;

    for (size_t i = 0; i < count && !error; i++)
        error = xg_store_write_number(transaction, directory, keys[i].key, keys[i].value);
    return error;
}

int xg_store_watch(struct xg_watch *watch)
{
    watch->token = ++store.last_token;
    watch->fired = false;
    watch->next = store.watches;
    store.watches = watch;
    int error = watch_send(watch);
    if (error)
        xg_store_unwatch(watch);
    return error;
}

void xg_store_unwatch(struct xg_watch *watch)
{
    char token[21];

    if (!watch->token)
        return;
    for (struct xg_watch **link = &store.watches; *link; link = &(*link)->next) {
        if (*link == watch) {
            *link = watch->next;
            break;
        }
    }
    xg_print_number(token, watch->token);
    struct part parts[] = {{watch->path, xg_length(watch->path) + 1}, {token, xg_length(token) + 1}};
    request(XS_UNWATCH, XG_NO_TRANSACTION, parts, 2);
    watch->token = 0;
}

void xg_store_run_watches(void)
{
    received(0);
    for (uint32_t calls = 0; store.any_fired && calls < WATCHES_PER_RUN; calls++) {
        struct xg_watch *watch = store.watches;
        store.any_fired = false;
        while (watch && !watch->fired)
            watch = watch->next;
        if (!watch)
            return;
        watch->fired = false;
        store.any_fired = true; /* look again from the start: the call may change the list */
        watch->changed(watch->context);
    }
}

void xg_store_fire(struct xg_watch *watch)
{
    watch->fired = store.any_fired = true;
    xg_os_wake();
}
