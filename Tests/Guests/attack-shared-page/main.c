/*
 * test: attack-shared-page
 * Writes junk over the whole shared page: pending and masked bits, clocks, masks, the wall clock.
 * The hypervisor may only ever write there, or believe what concerns this guest alone. Its clock
 * must go on, its hypercalls answer, and no port may come into being by a bit.
 */
#include "guest.h"

void test_main(void)
{
    volatile uint8_t *bytes = (volatile uint8_t *)shared_info;
    static const uint8_t junk[] = {0xff, 0x00, 0x55, 0x80, 0x7f};
    unsigned int answers = 0;
    for (unsigned int i = 0; i < 5; i++)
        for (unsigned int turn = 0; turn < 200; turn++) {
            for (unsigned int at = 0; at < PAGE_SIZE; at++)
                bytes[at] = junk[i] ^ (uint8_t)(turn % 2 ? at : 0);
            /* Upcalls stay masked, else the first would find every port pending. */
            this_vcpu()->evtchn_upcall_mask = (uint8_t)(1 + turn);
            answers += HYPERVISOR_xen_version(XENVER_version, 0) > 0;
            answers += HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0) == 0;
        }
    expect_value("answers", answers, 2000);
    for (unsigned int at = 0; at < PAGE_SIZE; at++)
        bytes[at] = 0;
    events_initialise();
    events_disable();
    for (unsigned int i = 0; i < 100000 && this_vcpu()->time.tsc_to_system_mul == 0; i++)
        HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
    refused("send on a port that only has its bit", port_send(77));
    refused("the shared page as a page table",
            mmuext_frame(MMUEXT_PIN_L1_TABLE, start_info->shared_info >> XEN_PAGE_SHIFT));
}
