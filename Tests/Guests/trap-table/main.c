/*
 * test: trap-table
 * A row of set_trap_table takes effect at once, replaces the earlier row of its vector and leaves
 * others alone. A null table removes all handlers. A row with address 0 ends a table. Bad pointers
 * and addresses are refused, and rows before the bad one count.
 */
#include "guest.h"

extern char other_entry[], third_entry[];
#ifdef __x86_64__
__asm__(".text\n"
        "other_entry: addq $16, %rsp; addq $2, (%rsp); movl $0x1234, %eax\n"
        "  pushq $0; jmp 1f\n"
        "third_entry: addq $16, %rsp; addq $2, (%rsp); movl $0x5678, %eax\n"
        "  pushq $0; jmp 1f\n"
        "1: jmp hypercall_page + 23 * 32\n");
#else
/* The iret slot pushes %eax, which is the result. */
__asm__(".text\n"
        "other_entry: addl $2, (%esp); movl $0x1234, %eax; jmp 1f\n"
        "third_entry: addl $2, (%esp); movl $0x5678, %eax; jmp 1f\n"
        "1: jmp hypercall_page + 23 * 32\n");
#endif

static unsigned int invalid_opcode(void)
{
    unsigned int result = 0;
    #ifdef __x86_64__
    __asm__ volatile("ud2" : "+a"(result) : : "memory", "rcx", "r11");
#else
    __asm__ volatile("ud2" : "+a"(result) : : "memory");
#endif
    return result;
}

void test_main(void)
{
    struct trap_info rows[3] = {
        {.vector = VECTOR_UD, .cs = FLAT_KERNEL_CS, .address = (unsigned long)other_entry},
    };
    expect_result("register a row", HYPERVISOR_set_trap_table(rows), 0);
    expect_value("its handler runs", invalid_opcode(), 0x1234);
    rows[0].address = (unsigned long)third_entry;
    expect_result("register another", HYPERVISOR_set_trap_table(rows), 0);
    expect_value("it replaces the first", invalid_opcode(), 0x5678);
    expect_fault("another vector keeps its handler", try_read((void *)UNMAPPED_ADDRESS, 0),
                 FAULT(VECTOR_PF, 0));

    /* The row behind the end must not count. */
    rows[0].address = 0;
    rows[1] = (struct trap_info){
        .vector = VECTOR_UD, .cs = FLAT_KERNEL_CS, .address = (unsigned long)other_entry};
    expect_result("an empty table", HYPERVISOR_set_trap_table(rows), 0);
    expect_value("the handler stays", invalid_opcode(), 0x5678);

    expect_result("table at an unmapped address",
                  HYPERVISOR_set_trap_table((struct trap_info *)UNMAPPED_ADDRESS), -XEN_EFAULT);
    expect_result("table in the hypervisor's range",
                  HYPERVISOR_set_trap_table((struct trap_info *)HYPERVISOR_ADDRESS), -XEN_EFAULT);

#ifdef __x86_64__
    rows[0] = (struct trap_info){
        .vector = VECTOR_UD, .cs = FLAT_KERNEL_CS, .address = (unsigned long)other_entry};
    rows[1] = (struct trap_info){
        .vector = VECTOR_BP, .cs = FLAT_KERNEL_CS, .address = NON_CANONICAL_ADDRESS};
    expect_result("handler at a non-canonical address", HYPERVISOR_set_trap_table(rows),
                  -XEN_EINVAL);
    expect_value("the row before it counts", invalid_opcode(), 0x1234);
#endif
}
