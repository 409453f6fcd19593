/*
 * test: attack-assists
 * vm_assist with every number and command, twice and in every order. Assists change how the
 * hypervisor works for this guest; none may give what the guest has no right to.
 */
#include "guest.h"

void test_main(void)
{
    refusals_begin();
    for (uint32_t command = 2; command < 16; command++)
        for (uint32_t type = 0; type < 64; type++)
            refusal(HYPERVISOR_vm_assist(command, type), (uint64_t)command << 32 | type);
    for (uint32_t type = 64; type < 1024; type += 3)
        refusal(HYPERVISOR_vm_assist(VMASST_CMD_enable, type), type);
    refusal(HYPERVISOR_vm_assist(VMASST_CMD_enable, 0xffffffff), 1);
    refusal(HYPERVISOR_vm_assist(VMASST_CMD_disable, 0x80000000), 2);
    refusals_end("numbers that do not exist");
    for (unsigned int turn = 0; turn < 100; turn++)
        for (uint32_t type = 0; type < 64; type++)
            HYPERVISOR_vm_assist(turn & 1, type);
    for (uint32_t type = 0; type < 64; type++)
        HYPERVISOR_vm_assist(VMASST_CMD_disable, type);
    refused("the top table is not writable", page_set_flags(top_table(), PTE_READ_WRITE));
    pte_t before = top_table()[256];
    try_write(&top_table()[256], 0);
    expect_true("nor its hypervisor's slots", top_table()[256] == before);
    uint64_t flags;
    __asm__ volatile("pushf; pop %0" : "=r"(flags));
    expect_value("I/O privilege in the processor", flags >> 12 & 3, 0);
}
