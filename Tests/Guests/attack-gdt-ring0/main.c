/*
 * test: attack-gdt-ring0
 * Fills a descriptor table with code and data of ring 0 to 2 and uses every selector of it for far
 * jumps, calls and loads. Where the hypervisor takes such descriptors it lowers their privilege;
 * after any of the transfers the guest must still be in ring 3.
 */
#include "guest.h"

static unsigned int ring(void)
{
    uint16_t cs;
    __asm__ volatile("movw %%cs, %0" : "=r"(cs));
    return cs & 3;
}

void test_main(void)
{
    uint64_t *table = page_alloc();
    static const uint64_t kinds[] = {0x00af9b000000ffff, 0x00af9f000000ffff, 0x00afbb000000ffff,
                                     0x00afdb000000ffff, 0x00cf93000000ffff, 0x00cfb3000000ffff,
                                     0x00cfd3000000ffff, 0x00affb000000ffff};
    for (unsigned int i = 0; i < 8; i++)
        table[1 + i] = kinds[i];
    page_read_only(table);
    xen_pfn_t frame = mfn_of(table);
    if (HYPERVISOR_set_gdt(&frame, 512))
        print("the table is refused\n");
    unsigned int low = 0;
    for (unsigned int selector = 8; selector < 9 * 8; selector++) {
        struct {
            uint64_t offset;
            uint16_t selector;
        } __attribute__((packed)) far = {0, (uint16_t)selector};
        uint64_t wide = selector;
        /* Onto the next instruction, if the selector is taken. */
        __asm__ volatile(
            "leaq 2f(%%rip), %%rax; movq %%rax, %0; 1: rex64 ljmp *%0; 2:\n" FIXUP(1b, 2b)
            : "+m"(far)
            :
            : "rax", "memory");
        low += ring() != 3;
        __asm__ volatile("movq %%rsp, %%rbx; pushq %0; leaq 2f(%%rip), %%rax; pushq %%rax;"
                         "1: lretq; 2: movq %%rbx, %%rsp\n" FIXUP(1b, 2b)
                         :
                         : "r"(wide)
                         : "rax", "rbx", "memory");
        low += ring() != 3;
        TRY("movl %k0, %%ds", : : "r"(wide));
        TRY("movl %k0, %%es", : : "r"(wide));
        TRY("movl %k0, %%fs", : : "r"(wide));
    }
    expect_value("transfers that left ring 3", low, 0);
    uint16_t zero = FLAT_USER_DS;
    __asm__ volatile("movw %0, %%ds; movw %0, %%es; movw %0, %%fs" : : "r"(zero));
    expect_result("the start's table again", HYPERVISOR_set_gdt(0, 0), 0);
}
