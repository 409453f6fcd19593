/* The own grant table, and the calls of those who use grants. */
#include "events.h"
#include "grants.h"

#include "console.h"
#include "report.h"
#include "system.h"

static xen_pfn_t *frames;

void grants_initialise(unsigned int count)
{
    if (!frames)
        frames = page_alloc();
    struct gnttab_setup_table setup = {
        .dom = DOMID_SELF, .nr_frames = count, .frame_list = frames};
    long result = HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1);
    if (result == -XEN_ENOSYS) {
        skip("no grant tables");
        report_and_end();
    }
    if (result || setup.status)
        panic("no grant table: %E, status %d", result, setup.status);
    for (unsigned int i = 0; i < count; i++)
        if (map(GRANT_TABLE + i * PAGE_SIZE, pte_make(frames[i], PTE_READ_WRITE)))
            panic("the grant table cannot be mapped");
}

mfn_t grant_frame(unsigned int index) { return frames[index]; }

void grant_status_initialise(unsigned int count)
{
    static uint64_t list[8];
    struct gnttab_get_status_frames get = {
        .dom = DOMID_SELF, .nr_frames = count, .frame_list = list};
    if (HYPERVISOR_grant_table_op(GNTTABOP_get_status_frames, &get, 1) || get.status)
        panic("no status frames: %d", get.status);
    for (unsigned int i = 0; i < count; i++)
        if (map(GRANT_STATUS + i * PAGE_SIZE, pte_make(list[i], PTE_READ_WRITE)))
            panic("status frames cannot be mapped");
}

struct grant_entry_v1 *grant_entry(unsigned int reference)
{
    return (struct grant_entry_v1 *)GRANT_TABLE + reference;
}

union grant_entry_v2 *grant_entry_two(unsigned int reference)
{
    return (union grant_entry_v2 *)GRANT_TABLE + reference;
}

volatile uint16_t *grant_status(unsigned int reference)
{
    return (volatile uint16_t *)GRANT_STATUS + reference;
}

domid_t own_domain(void)
{
    static int own = -1;
    if (own >= 0)
        return (domid_t)own;
    struct evtchn_alloc_unbound unbound = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    if (HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &unbound))
        panic("no port that could tell the domain's number");
    struct evtchn_status status = {.dom = DOMID_SELF, .port = unbound.port};
    if (HYPERVISOR_event_channel_op(EVTCHNOP_status, &status))
        panic("the port does not tell the domain's number");
    port_close(unbound.port);
    own = status.u.unbound.dom;
    return (domid_t)own;
}

void grant_access(unsigned int reference, domid_t domain, mfn_t mfn, uint16_t flags)
{
    struct grant_entry_v1 *entry = grant_entry(reference);
    entry->domid = domain;
    entry->frame = (uint32_t)mfn;
    __atomic_store_n(&entry->flags, flags, __ATOMIC_RELEASE);
}

bool grant_end(unsigned int reference)
{
    uint16_t *flags = &grant_entry(reference)->flags;
    uint16_t seen = __atomic_load_n(flags, __ATOMIC_ACQUIRE);
    do {
        if (seen & (GTF_reading | GTF_writing))
            return false;
    } while (!__atomic_compare_exchange_n(flags, &seen, 0, false, __ATOMIC_SEQ_CST,
                                          __ATOMIC_SEQ_CST));
    return true;
}

static void call(unsigned int operation, void *argument)
{
    long result = HYPERVISOR_grant_table_op(operation, argument, 1);
    if (result)
        failure("grant_table_op %u: %E", operation, result);
}

int grant_map(domid_t domain, grant_ref_t reference, uint32_t flags, uint64_t address,
              grant_handle_t *handle)
{
    struct gnttab_map_grant_ref op = {.host_addr = address,
                                      .flags = flags,
                                      .ref = reference,
                                      .dom = domain,
                                      .handle = NO_HANDLE};
    call(GNTTABOP_map_grant_ref, &op);
    if (handle)
        *handle = op.handle;
    return op.status;
}

int grant_unmap(grant_handle_t handle, uint64_t address, uint64_t device)
{
    struct gnttab_unmap_grant_ref op = {
        .host_addr = address, .dev_bus_addr = device, .handle = handle};
    call(GNTTABOP_unmap_grant_ref, &op);
    return op.status;
}

int grant_replace(grant_handle_t handle, uint64_t address, uint64_t new_address)
{
    struct gnttab_unmap_and_replace op = {
        .host_addr = address, .new_addr = new_address, .handle = handle};
    call(GNTTABOP_unmap_and_replace, &op);
    return op.status;
}

int grant_copy(struct gnttab_copy copy)
{
    call(GNTTABOP_copy, &copy);
    return copy.status;
}

int grant_swap(grant_ref_t a, grant_ref_t b)
{
    struct gnttab_swap_grant_ref op = {.ref_a = a, .ref_b = b};
    call(GNTTABOP_swap_grant_ref, &op);
    return op.status;
}

struct gnttab_copy_ptr copy_frame(mfn_t mfn, uint16_t offset)
{
    struct gnttab_copy_ptr side = {.domid = DOMID_SELF, .offset = offset};
    side.u.gmfn = mfn;
    return side;
}

struct gnttab_copy_ptr copy_grant(domid_t domain, grant_ref_t reference, uint16_t offset)
{
    struct gnttab_copy_ptr side = {.domid = domain, .offset = offset};
    side.u.ref = reference;
    return side;
}

static const char *status_name(int status)
{
    static const char *const names[] = {
        "okay",          "general_error",     "bad_domain",     "bad_gntref",  "bad_handle",
        "bad_virt_addr", "bad_dev_addr",      "no_device_space", "permission_denied",
        "bad_page",      "bad_copy_arg",      "address_too_big", "eagain",     "no_space"};
    unsigned int index = (unsigned int)-status;
    return index < sizeof(names) / sizeof(names[0]) ? names[index] : "no status";
}

void expect_status(const char *what, int found, int expected)
{
    if (found == expected)
        print("%s: %s\n", what, status_name(found));
    else
        failure("%s: %s (%d), expected %s", what, status_name(found), found,
                status_name(expected));
}
