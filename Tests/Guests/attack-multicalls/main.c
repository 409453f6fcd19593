/*
 * test: attack-multicalls
 * Multicalls of a million entries, nested, over their own array, without an end, and with calls
 * that take the array away. A careless hypervisor does them in one go, recurses, or goes on with
 * entries that it has not copied.
 */
#include "guest.h"

#define AREA FREE_ADDRESS
#define WINDOW 128
/* The arguments of update_va_mapping, whose entry takes two words of 32 bits. */
#ifdef __x86_64__
#define VA_MAPPING(page, entry) {(unsigned long)(page), (entry), UVMF_INVLPG}
#define NUMBER_BEYOND (1ull << 32)
#else
#define VA_MAPPING(page, entry) {(unsigned long)(page), (uint32_t)(entry), (uint32_t)((pte_t)(entry) >> 32), UVMF_INVLPG}
#define NUMBER_BEYOND 0x80000000u
#endif

static long multicall(struct multicall_entry *list, uint32_t count)
{
    return HYPERVISOR_multicall(list, count);
}

void test_main(void)
{
    /* One page of entries, mapped a hundred times in a row, and nothing after it. */
    struct multicall_entry *page = page_alloc();
    unsigned int entries = PAGE_SIZE / sizeof(*page);
    for (unsigned int i = 0; i < entries; i++)
        page[i] =
            (struct multicall_entry){.op = __HYPERVISOR_xen_version, .args = {XENVER_version}};
    for (unsigned int i = 0; i < WINDOW; i++)
        if (map(AREA + i * PAGE_SIZE, pte_make(mfn_of(page), PTE_READ_WRITE)))
            panic("cannot map");
    expect_result("some thousands", multicall((void *)AREA, WINDOW * entries), 0);
    expect_result("more than are mapped", multicall((void *)AREA, WINDOW * entries + 1),
                  -XEN_EFAULT);
    expect_result("a million", multicall((void *)AREA, 1000000), -XEN_EFAULT);
    expect_result("as many as can be", multicall((void *)AREA, 0xffffffff), -XEN_EFAULT);
    for (unsigned int i = 0; i < 100; i++)
        multicall((void *)AREA, WINDOW * entries);
    static struct multicall_entry list[8] __attribute__((aligned(PAGE_SIZE)));
    list[0] =
        (struct multicall_entry){.op = __HYPERVISOR_multicall, .args = {(unsigned long)list, 1}};
    multicall(list, 1);
    refused("itself, nested", (long)list[0].result);
    list[0] = (struct multicall_entry){.op = NUMBER_BEYOND | __HYPERVISOR_xen_version};
    multicall(list, 1);
    refused("a number beyond all", (long)list[0].result);
    /* A result that is written over the next entry's number. */
    uint8_t *raw = page_alloc();
    struct multicall_entry *odd = (struct multicall_entry *)(raw + 8);
    odd[0] = (struct multicall_entry){.op = __HYPERVISOR_memory_op,
                                      .args = {XENMEM_current_reservation, (unsigned long)&odd[1]}};
    odd[1] = odd[0];
    multicall(odd, 2);
    /* The first call takes the array away: what comes after it faults. */
    struct multicall_entry *gone = page_alloc();
    gone[0] = (struct multicall_entry){.op = __HYPERVISOR_update_va_mapping,
                                       .args = VA_MAPPING(gone, 0)};
    gone[1] = (struct multicall_entry){.op = __HYPERVISOR_xen_version};
    expect_result("the array taken away", multicall(gone, 2), -XEN_EFAULT);
    struct multicall_entry *table = page_alloc();
    table[0] = (struct multicall_entry){
        .op = __HYPERVISOR_update_va_mapping,
        .args = VA_MAPPING(table, pte_make(mfn_of(table), PTE_READ_ONLY))};
    table[1] = (struct multicall_entry){.op = __HYPERVISOR_mmuext_op};
    expect_result("the array made read-only", multicall(table, 2), -XEN_EFAULT);
}
