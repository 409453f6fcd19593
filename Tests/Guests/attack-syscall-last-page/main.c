/*
 * test: attack-syscall-last-page
 * A syscall instruction in the last two bytes of the lower half: the address after it, which sysret
 * would go to, is not canonical. The same from user mode, for the kernel's entry. A processor that
 * faults in sysret does so in ring 0 with the guest's stack.
 */
#include "guest.h"

#define LAST (0x0000800000000000ul - PAGE_SIZE)

static unsigned int faults;

static bool hook(struct trap_frame *frame)
{
    if (frame->rip < LAST || frame->rip > 0x0000800000000000ul + 16)
        return false;
    faults++;
    frame->rip = *(uint64_t *)frame->rsp;
    frame->rsp += 8;
    return true;
}

void test_main(void)
{
    uint8_t *page = page_alloc();
    page[PAGE_SIZE - 2] = 0x0f;
    page[PAGE_SIZE - 1] = 0x05;
    if (map(LAST, pte_make(mfn_of(page), PTE_READ_ONLY))) {
        skip("the last page of the lower half cannot be mapped");
        return;
    }
    set_trap_hook(hook);
    long result = __HYPERVISOR_xen_version;
    /* A hypercall that returns to the wrong half: a fault of the guest's. */
    __asm__ volatile("call *%1"
                     : "+a"(result)
                     : "r"(LAST + PAGE_SIZE - 2), "D"(0ul), "S"(0ul)
                     : "rcx", "r11", "memory");
    expect_value("faults after a hypercall", faults, 1);
    /* A restarted one: the multicall goes back onto the syscall instruction when an event is due.
     */
    static struct multicall_entry calls[2048];
    for (unsigned int i = 0; i < 2048; i++)
        calls[i].op = __HYPERVISOR_xen_version;
    result = __HYPERVISOR_multicall;
    __asm__ volatile("call *%1"
                     : "+a"(result)
                     : "r"(LAST + PAGE_SIZE - 2), "D"(calls), "S"(2048ul)
                     : "rcx", "r11", "memory");
    expect_value("faults after a long one", faults, 2);
    set_trap_hook(0);

    user_initialise();
    if (entry_write(&user_top_table()[255], top_table()[255]))
        panic("the user's table");
    struct trap_frame frame = user_frame(user_initialise);
    frame.rip = LAST + PAGE_SIZE - 2;
    user_run(&frame);
    expect_fault("from user mode", FAULT(frame.vector, frame.error_code), FAULT(ENTRY_SYSCALL, 0));
    expect_value("its rip", frame.rip, 0x0000800000000000ul);
    /* And back to where it asks for. */
    iret_flags = VGCF_in_syscall;
    user_run(&frame);
    iret_flags = 0;
    expect_vector("return to there", FAULT(frame.vector, frame.error_code), VECTOR_GP);
}
