/*
 * test: vcpu-info
 * A vcpu's vcpu_info can be moved out of the shared page once. The place must be whole within a
 * page of the domain's. Events go there from then on, and an upcall is raised so that none is lost.
 */
#include "guest.h"

void test_main(void)
{
    struct vcpu_info *page = page_alloc();
    struct vcpu_register_vcpu_info info = {.mfn = mfn_of(page), .offset = PAGE_SIZE - 32};
    expect_result("beyond the page", HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &info),
                  -XEN_ENXIO);
    info.offset = 0xffffffc0;
    expect_result("offset that wraps", HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &info),
                  -XEN_ENXIO);
    info = (struct vcpu_register_vcpu_info){.mfn = 0xfffffffff};
    expect_result("frame beyond memory", HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &info),
                  -XEN_EINVAL);
    info = (struct vcpu_register_vcpu_info){.mfn = mfn_of(page), .offset = 128};
    expect_result("another vcpu", HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 1000, &info),
                  -XEN_ENOENT);
    volatile struct vcpu_info *moved = (struct vcpu_info *)((char *)page + 128);
    expect_result("register", HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &info), 0);
    expect_value("the mask came along", moved->evtchn_upcall_mask, 1);
    expect_value("an upcall is due", moved->evtchn_upcall_pending, 1);
    expect_value("all words are selected", moved->evtchn_pending_sel, ~0ul);
    moved->evtchn_upcall_pending = 0;
    moved->evtchn_pending_sel = 0;
    evtchn_port_t port = (evtchn_port_t)bind_ipi(0);
    shared_info->evtchn_mask[port / 64] &= ~(1ul << port % 64);
    expect_result("send", port_send(port), 0);
    expect_value("upcall pending at the new place", moved->evtchn_upcall_pending, 1);
    expect_value("selector at the new place", moved->evtchn_pending_sel, 1ul << port / 64);
    expect_result("register again", HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_info, 0, &info),
                  -XEN_EINVAL);
}
