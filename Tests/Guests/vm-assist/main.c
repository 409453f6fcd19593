/*
 * test: vm-assist
 * A PV guest may switch the assists that exist for it on and off, any number of times;
 * assists of other kinds of guests and unknown commands are refused.
 */
#include "guest.h"

void test_main(void)
{
    static const struct {
        const char *name;
        uint32_t type;
        long result;
    } assists[] = {
        {"4gb_segments", VMASST_TYPE_4gb_segments, 0},
        {"4gb_segments_notify", VMASST_TYPE_4gb_segments_notify, 0},
        {"writable_pagetables", VMASST_TYPE_writable_pagetables, 0},
        {"pae_extended_cr3", VMASST_TYPE_pae_extended_cr3, 0},
        {"architectural_iopl", VMASST_TYPE_architectural_iopl, 0},
        {"runstate_update_flag", VMASST_TYPE_runstate_update_flag, 0},
        {"m2p_strict", VMASST_TYPE_m2p_strict, PAGING_LEVELS == 4 ? 0 : -XEN_EINVAL}, /* Of 64 bits. */
        {"number 6", 6, -XEN_EINVAL},
        {"number 31", 31, -XEN_EINVAL},
        {"number 33", 33, -XEN_EINVAL},
        {"number 64", 64, -XEN_EINVAL},
        {"all bits", 0xffffffff, -XEN_EINVAL},
    };
    for (unsigned int i = 0; i < sizeof(assists) / sizeof(assists[0]); i++) {
        print("enable ");
        expect_result(assists[i].name, HYPERVISOR_vm_assist(VMASST_CMD_enable, assists[i].type),
                      assists[i].result);
        print("disable ");
        expect_result(assists[i].name, HYPERVISOR_vm_assist(VMASST_CMD_disable, assists[i].type),
                      assists[i].result);
    }
    expect_result("unknown command", HYPERVISOR_vm_assist(2, VMASST_TYPE_writable_pagetables),
                  -XEN_ENOSYS);
}
