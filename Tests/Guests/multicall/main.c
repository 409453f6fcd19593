/*
 * test: multicall
 * A batch carries out every element in order and stores each result, also after one has failed;
 * batches do not nest, and unreadable arrays answer -EFAULT.
 */
#include "guest.h"

void test_main(void)
{
    static struct multicall_entry calls[4];
    static struct xen_feature_info features;
    calls[0] = (struct multicall_entry){.op = __HYPERVISOR_xen_version,
                                        .args = {XENVER_pagesize, 0}};
    calls[1] = (struct multicall_entry){.op = 55};
    calls[2] = (struct multicall_entry){.op = __HYPERVISOR_xen_version,
                                        .args = {XENVER_get_features, UNMAPPED_ADDRESS}};
    calls[3] = (struct multicall_entry){
        .op = __HYPERVISOR_xen_version, .args = {XENVER_get_features, (unsigned long)&features}};
    expect_result("batch", HYPERVISOR_multicall(calls, 4), 0);
    expect_result("first", (long)calls[0].result, PAGE_SIZE);
    expect_result("second: unknown hypercall", (long)calls[1].result, -XEN_ENOSYS);
    expect_result("third: bad pointer", (long)calls[2].result, -XEN_EFAULT);
    expect_result("fourth", (long)calls[3].result, 0);
    expect_true("it was carried out", features.submap != 0);
    expect_result("empty batch", HYPERVISOR_multicall(calls, 0), 0);

    calls[0] = (struct multicall_entry){.op = __HYPERVISOR_multicall,
                                        .args = {(unsigned long)&calls[1], 1}};
    calls[1] = (struct multicall_entry){.op = __HYPERVISOR_xen_version, .result = 99};
    expect_result("batch in a batch", HYPERVISOR_multicall(calls, 1), 0);
    expect_result("its result", (long)calls[0].result, -XEN_EINVAL);
    expect_result("inner result", (long)calls[1].result, 99);
    expect_result("array at an unmapped address",
                  HYPERVISOR_multicall((struct multicall_entry *)UNMAPPED_ADDRESS, 1), -XEN_EFAULT);
    expect_result("array in the hypervisor's range",
                  HYPERVISOR_multicall((struct multicall_entry *)HYPERVISOR_ADDRESS, 1),
                  -XEN_EFAULT);

    /* The second element lies on a page that is not mapped. */
    uint8_t *pages = page_alloc();
    uint8_t *next = page_alloc();
    if (next != pages + PAGE_SIZE)
        panic("the pool is not contiguous");
    if (HYPERVISOR_update_va_mapping((unsigned long)next, 0, UVMF_INVLPG))
        panic("cannot unmap");
    struct multicall_entry *last =
        (struct multicall_entry *)(pages + PAGE_SIZE - sizeof(struct multicall_entry));
    *last = (struct multicall_entry){.op = __HYPERVISOR_xen_version, .args = {XENVER_pagesize, 0}};
    expect_result("array that ends at an unmapped page", HYPERVISOR_multicall(last, 2), -XEN_EFAULT);
    expect_result("the element before is done", (long)last->result, PAGE_SIZE);
}
