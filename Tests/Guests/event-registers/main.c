/*
 * test: event-registers
 * An upcall may come between any two instructions. Everything that the interrupted code had in
 * registers, flags included, must be there afterwards: a long loop that sends events to itself
 * through the timer and checks sums sees any damage.
 */
#include "guest.h"

static volatile uint64_t upcalls;

static void handle(evtchn_port_t port)
{
    upcalls++;
    HYPERVISOR_set_timer_op(system_time() + MILLISECONDS);
}

void test_main(void)
{
    set_event_handler(handle);
    long port = bind_virq(VIRQ_TIMER, 0);
    expect_true("bind the timer", port > 0);
    port_unmask((evtchn_port_t)port);
    HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, 0);
    events_enable();
    HYPERVISOR_set_timer_op(system_time() + MILLISECONDS);
    uint64_t errors = 0;
    for (unsigned int round = 0; round < 2000 || upcalls < 20; round++) {
        uint64_t sum = 0;
#ifdef __x86_64__
        uint64_t count = 2000;
        __asm__ volatile("movq $0x1111, %%r8; movq $0x2222, %%r9; movq $0x3333, %%r10\n"
                         "movq $0x4444, %%r11; movq $0x5555, %%r12; movq $0x6666, %%r13\n"
                         "stc\n"
                         "1: adcq $0, %0; leaq -1(%1), %1; jrcxz 2f; stc; jmp 1b\n"
                         "2: addq %%r8, %0; addq %%r9, %0; addq %%r10, %0; addq %%r11, %0\n"
                         "addq %%r12, %0; addq %%r13, %0"
                         : "+r"(sum), "+c"(count)
                         :
                         : "r8", "r9", "r10", "r11", "r12", "r13", "cc", "memory");
#else
        uint32_t low = 0, left = 2000;
        __asm__ volatile("movl $0x8888, %%ebx; movl $0x6666, %%edx; movl $0x3333, %%esi\n"
                         "movl $0x4444, %%edi\n"
                         "stc\n"
                         "1: adcl $0, %0; leal -1(%1), %1; jecxz 2f; stc; jmp 1b\n"
                         "2: addl %%ebx, %0; addl %%edx, %0; addl %%esi, %0; addl %%edi, %0"
                         : "+a"(low), "+c"(left)
                         :
                         : "ebx", "edx", "esi", "edi", "cc", "memory");
        sum = low;
#endif
        if (sum != 2000 + 0x1111 * 21ull)
            errors++;
        if (round > 100000000)
            break;
    }
    events_disable();
    expect_true("at least twenty upcalls", upcalls >= 20);
    expect_value("wrong sums", errors, 0);
}
