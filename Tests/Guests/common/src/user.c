/* User mode. traps.S has user_enter and user_leave. */
#include "user.h"

#include "events.h"
#include "memory.h"
#include "report.h"
#include "system.h"

extern char user_text_start[], user_text_end[];
void user_enter(const struct trap_frame *frame);
__attribute__((noreturn)) void user_leave(void);

static pte_t *user_top;
static void *data_page;
static struct trap_frame *waiting;

void user_initialise(void)
{
    if (user_top)
        return;
    for (char *page = user_text_start; page < user_text_end; page += PAGE_SIZE) {
        uint64_t address = USER_TEXT + (uint64_t)(page - user_text_start);
        if (map(address, pte_make(mfn_of(page), PTE_READ_ONLY | PTE_USER)))
            panic("user code cannot be mapped");
    }
    data_page = page_alloc();
    if (map(USER_STACK, pte_make(mfn_of(page_alloc()), PTE_READ_WRITE | PTE_USER | PTE_NX)) ||
        map(USER_DATA, pte_make(mfn_of(data_page), PTE_READ_WRITE | PTE_USER | PTE_NX)))
        panic("user memory cannot be mapped");

    user_top = user_top_make();
}

pte_t *user_top_table(void)
{
    return user_top;
}

void *user_data(void)
{
    return data_page;
}

uint64_t user_address(const void *code)
{
    return USER_TEXT + (uint64_t)((const char *)code - user_text_start);
}

struct trap_frame user_frame(const void *code)
{
    return (struct trap_frame){
        .rip = user_address(code),
        .cs = FLAT_USER_CS,
        .rflags = events_enabled() ? 0x202 : 0x002,
        .rsp = USER_STACK + PAGE_SIZE,
        .ss = FLAT_USER_SS,
#ifdef __i386__
        .es = FLAT_USER_DS,
        .ds = FLAT_USER_DS,
#endif
    };
}

void user_run(struct trap_frame *frame)
{
    user_initialise();
    uint8_t mask = this_vcpu()->evtchn_upcall_mask;
    waiting = frame;
    user_enter(frame);
    waiting = 0;
    if (mask)
        events_disable();
    else
        events_enable();
}

void user_ended(struct trap_frame *frame)
{
    if (!waiting)
        return;
    *waiting = *frame;
    user_leave();
}

fault_t user_try(const void *code)
{
    struct trap_frame frame = user_frame(code);
    user_run(&frame);
    return FAULT(frame.vector, frame.error_code);
}
