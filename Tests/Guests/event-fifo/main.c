/*
 * test: event-fifo
 * init_control switches the domain to the FIFO form: a control block per vcpu and words for ports in
 * pages that the guest adds. An event sets the pending bit of its word, links it into the queue of
 * its priority and marks the queue ready.
 */
#include "guest.h"

void test_main(void)
{
    struct evtchn_fifo_control_block *block = page_alloc();
    event_word_t *words = page_alloc();
    struct evtchn_init_control init = {.control_gfn = mfn_of(block), .offset = 0, .vcpu = 0};
    struct evtchn_init_control bad = init;
    bad.offset = 4;
    expect_result("misaligned block", HYPERVISOR_event_channel_op(EVTCHNOP_init_control, &bad),
                  -XEN_EINVAL);
    bad.offset = PAGE_SIZE - 8;
    expect_result("block beyond its page", HYPERVISOR_event_channel_op(EVTCHNOP_init_control, &bad),
                  -XEN_EINVAL);
    bad = init;
    bad.vcpu = 1000;
    expect_result("vcpu that does not exist",
                  HYPERVISOR_event_channel_op(EVTCHNOP_init_control, &bad), -XEN_ENOENT);
    expect_result("init_control", HYPERVISOR_event_channel_op(EVTCHNOP_init_control, &init), 0);
    expect_value("bits of a link", init.link_bits, EVTCHN_FIFO_LINK_BITS);

    struct evtchn_expand_array expand = {.array_gfn = mfn_of(words)};
    expect_result("expand_array", HYPERVISOR_event_channel_op(EVTCHNOP_expand_array, &expand), 0);
    long port = bind_ipi(0);
    expect_true("bind an IPI", port > 0);
    volatile event_word_t *word = &words[port];
    expect_value("the word is clear", *word, 0);
    struct evtchn_set_priority priority = {.port = (evtchn_port_t)port, .priority = 2};
    expect_result("set_priority", HYPERVISOR_event_channel_op(EVTCHNOP_set_priority, &priority), 0);
    priority.priority = 16;
    expect_result("priority 16", HYPERVISOR_event_channel_op(EVTCHNOP_set_priority, &priority),
                  -XEN_EINVAL);
    expect_result("send", port_send((evtchn_port_t)port), 0);
    expect_true("pending", *word >> EVTCHN_FIFO_PENDING & 1);
    expect_true("linked", *word >> EVTCHN_FIFO_LINKED & 1);
    expect_value("ready queues", block->ready, 1u << 2);
    expect_true("head of the queue", block->head[2] == (uint32_t)port);
    expect_value("upcall is pending", this_vcpu()->evtchn_upcall_pending, 1);
    expect_result("init_control again", HYPERVISOR_event_channel_op(EVTCHNOP_init_control, &init),
                  -XEN_EINVAL);
}
