/*
 * test: attack-segment-bases
 * Segment bases that are not canonical or the hypervisor's, selectors of every kind for gs of user
 * mode. A base that the processor refuses is a fault in the hypervisor's own write of it.
 */
#include "guest.h"

void test_main(void)
{
    static const uint64_t odd[] = {NON_CANONICAL_ADDRESS, 0xdeadbeef00000000, 1ul << 63,
                                   HYPERVISOR_VIRT_START - 1, 0x0000ffffffffffff};
    refusals_begin();
    for (uint32_t which = 0; which < 3; which++)
        for (unsigned int i = 0; i < 5; i++)
            refusal(HYPERVISOR_set_segment_base(which, odd[i]), odd[i]);
    refusal(HYPERVISOR_set_segment_base(4, 0), 4);
    refusal(HYPERVISOR_set_segment_base(0xffffffff, 0), 5);
    refusal(HYPERVISOR_set_segment_base(0x80000003, 0), 6);
    refusals_end("bases that are not canonical, and numbers");
    for (uint64_t selector = 0; selector < 0x10000; selector += 7)
        HYPERVISOR_set_segment_base(SEGBASE_GS_USER_SEL, selector);
    HYPERVISOR_set_segment_base(SEGBASE_GS_USER_SEL, 0xffffffffffffffff);
    HYPERVISOR_set_segment_base(SEGBASE_GS_USER_SEL, 0);
    static const uint64_t places[] = {HYPERVISOR_VIRT_START, HYPERVISOR_ADDRESS,
                                      0xffff82d040200000};
    for (unsigned int i = 0; i < 3; i++) {
        HYPERVISOR_set_segment_base(SEGBASE_FS, places[i]);
        HYPERVISOR_set_segment_base(SEGBASE_GS_KERNEL, places[i]);
        faulted("a write through fs", TRY("movq $0, %%fs:0x10", : : : "memory"));
        faulted("a write through gs", TRY("movq $0, %%gs:0x10", : : : "memory"));
    }
    expect_result("fs away", HYPERVISOR_set_segment_base(SEGBASE_FS, 0), 0);
    expect_result("gs away", HYPERVISOR_set_segment_base(SEGBASE_GS_KERNEL, 0), 0);
    expect_true("hypercalls work", HYPERVISOR_xen_version(XENVER_version, 0) > 0);
}
