/*
 * Shutdown requests. A request is acknowledged by an empty value, and that in a transaction with the
 * read: a second request that comes between would otherwise be wiped out unread.
 */
#include "xg_control.h"

#include "xg_bus.h"
#include "xg_console.h"
#include "xg_event.h"
#include "xg_grant.h"

#define TRIES 16u

static struct xg_control_options options;
static struct xg_watch shutdown_watch, key_watch;

/* Reads a key and empties it in one step. */
static bool take_request(const char *path, char *value, size_t size)
{
    for (unsigned int attempt = 0; attempt < TRIES; attempt++) {
        uint32_t transaction;
        int result = xg_store_begin(&transaction);
        if (result)
            return false;
        result = xg_store_read(transaction, path, value, size);
        if (result <= 0 || xg_store_write(transaction, path, "")) {
            xg_store_abort(transaction);
            return false;
        }
        result = xg_store_commit(transaction);
        if (result != -XEN_EAGAIN)
            return result == 0;
    }
    return false;
}

int xg_control_suspend(void)
{
    int result = xg_os_suspend();

    if (result)
        return result < 0 ? result : 0;
    /* A new domain: table, pages and ports of before are void. Nothing may be closed by its old
     * number once the first port has been opened. */
    xg_event_forget();
    int error = xg_grants_resume();
    xg_bus_abandon();
    xg_console_resume();
    if (!error)
        error = xg_store_resume();
    if (!error)
        xg_bus_resume();
    return error;
}

static void shutdown_changed(void *context)
{
    static const struct {
        const char *name;
        unsigned int reason;
        const bool *obeyed;
    } requests[] = {
        {"poweroff", SHUTDOWN_poweroff, &options.poweroff},
        {"halt", SHUTDOWN_poweroff, &options.poweroff},
        {"reboot", SHUTDOWN_reboot, &options.reboot},
        {"suspend", SHUTDOWN_suspend, &options.suspend},
        {"crash", SHUTDOWN_crash, &options.poweroff},
    };
    char request[32];

    (void)context;
    if (!take_request("control/shutdown", request, sizeof(request)))
        return;
    for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
        if (!xg_equal(requests[i].name, request) || !*requests[i].obeyed)
            continue;
        if (options.allow && !options.allow(request))
            return;
        if (requests[i].reason != SHUTDOWN_suspend)
            xg_os_shutdown(requests[i].reason);
        else if (xg_control_suspend())
            xg_os_log("control: the domain could not be suspended, or came back without its devices");
        return;
    }
    xg_os_log("control: a request that is not obeyed");
}

static void key_changed(void *context)
{
    char letter[8];

    (void)context;
    if (take_request("control/sysrq", letter, sizeof(letter)) && options.key)
        options.key(letter[0]);
}

int xg_control_start(const struct xg_control_options *wanted)
{
    options = *wanted;
    const struct xg_key features[] = {
        {"feature-poweroff", options.poweroff},
        {"feature-reboot", options.reboot},
        {"feature-suspend", options.suspend},
    };
    int error = xg_store_write_keys(XG_NO_TRANSACTION, "control", features, 3);
    shutdown_watch = (struct xg_watch){.path = "control/shutdown", .changed = shutdown_changed};
    key_watch = (struct xg_watch){.path = "control/sysrq", .changed = key_changed};
    /* An old toolstack does not let the guest write features; its requests come all the same. */
    if (error && error != -XEN_EACCES)
        return error;
    error = xg_store_watch(&shutdown_watch);
    return error ? error : xg_store_watch(&key_watch);
}
