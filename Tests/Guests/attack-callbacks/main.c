/*
 * test: attack-callbacks
 * System call and failsafe entries in the hypervisor. User mode's system call then goes to an
 * address in the hypervisor, in ring 3: a page fault of the guest's kernel. A careless hypervisor
 * jumps there in ring 0.
 */
#include "guest.h"

USER_CODE(user_syscall, SYSTEM_CALL "; ud2");

static unsigned int fetches;

static bool hook(struct trap_frame *frame)
{
    if (frame->vector != VECTOR_PF || frame->rip < hypervisor_start() ||
        frame->rip - 1 >= HYPERVISOR_VIRT_END - 1)
        return false;
    fetches++;
    /* On the stack below is the system call's frame: on 64 bits rcx and r11, then rip, cs, rflags, rsp, ss. */
    unsigned long *inner = (unsigned long *)frame->rsp - (PAGING_LEVELS == 4 ? 0 : 2);
    struct trap_frame user = {.vector = ENTRY_SYSCALL,
                              .rip = inner[2],
                              .cs = inner[3],
                              .rflags = inner[4],
                              .rsp = inner[5],
                              .ss = inner[6]};
    user_ended(&user);
    return true;
}

/* Where system calls go: on 32 bits a row of the trap table. */
static long set_entry(uintptr_t address)
{
#ifdef __x86_64__
    struct callback_register callback = {.type = CALLBACKTYPE_syscall, .address = address};
    return HYPERVISOR_callback_op(CALLBACKOP_register, &callback);
#else
    struct trap_info row[2] = {{.vector = 0x80, .flags = 3, .cs = FLAT_KERNEL_CS, .address = address}};
    return HYPERVISOR_set_trap_table(row);
#endif
}

void test_main(void)
{
    const uint64_t places[] = {HYPERVISOR_ADDRESS, hypervisor_start(), HYPERVISOR_IMAGE,
                               HYPERVISOR_VIRT_END - 1};
    user_initialise();
    set_trap_hook(hook);
    unsigned int taken = 0;
    for (unsigned int i = 0; i < 4; i++) {
        if (set_entry(places[i]))
            continue;
        taken++;
        user_try(user_syscall);
    }
    expect_value("entries in the hypervisor that faulted", taken, fetches);
#ifdef __x86_64__
    static const uint64_t odd[] = {NON_CANONICAL_ADDRESS, 0xdeadbeef00000000, 1ull << 63,
                                   HYPERVISOR_VIRT_START - 1};
    refusals_begin();
    for (uint16_t type = 0; type < 16; type++)
        for (unsigned int i = 0; i < 4; i++) {
            struct callback_register callback = {
                .type = type, .flags = (uint16_t)(type * 0x1111), .address = odd[i]};
            refusal(HYPERVISOR_callback_op(CALLBACKOP_register, &callback), odd[i]);
        }
    refusals_end("addresses that are not canonical");
    HYPERVISOR_set_callbacks(HYPERVISOR_ADDRESS, HYPERVISOR_ADDRESS, HYPERVISOR_ADDRESS);
    HYPERVISOR_set_callbacks(odd[0], odd[1], odd[2]);
#else
    HYPERVISOR_set_callbacks(FLAT_KERNEL_CS, HYPERVISOR_ADDRESS, FLAT_KERNEL_CS, HYPERVISOR_ADDRESS);
    HYPERVISOR_set_callbacks(0xe008, HYPERVISOR_ADDRESS, 0xffff, 0);
    set_entry((uintptr_t)syscall_entry);
#endif
    callbacks_register(failsafe_entry);
    set_trap_hook(0);
    expect_fault("a system call after", user_try(user_syscall), FAULT(ENTRY_SYSCALL, 0));
}
