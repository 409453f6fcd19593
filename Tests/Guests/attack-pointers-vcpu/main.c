/*
 * test: attack-pointers-vcpu
 * Bad pointers in every vcpu_op, see attack.h for the places. Areas given by a virtual address may
 * be taken; those are attack-registered-areas's.
 */
#include "guest.h"

static int command;
static long on_self(void *p) { return HYPERVISOR_vcpu_op(command, 0, p); }

void test_main(void)
{
    if (HYPERVISOR_vcpu_op(VCPUOP_is_up, 0, 0) == -XEN_ENOSYS) {
        skip("no vcpu_op");
        return;
    }
    static const struct {
        const char *name;
        int command;
        unsigned int size;
    } inputs[] = {
        {"set_periodic_timer", VCPUOP_set_periodic_timer, 8},
        {"set_singleshot_timer", VCPUOP_set_singleshot_timer, 16},
        {"register_vcpu_info", VCPUOP_register_vcpu_info, 16},
        {"register_runstate_memory_area", VCPUOP_register_runstate_memory_area, sizeof(long)},
        {"register_vcpu_time_memory_area", VCPUOP_register_vcpu_time_memory_area, sizeof(long)},
    };
    for (unsigned int i = 0; i < 5; i++) {
        command = inputs[i].command;
        expect_pointers(inputs[i].name, on_self, inputs[i].size, -XEN_EFAULT);
    }
    command = VCPUOP_get_runstate_info;
    expect_output_pointers("get_runstate_info", on_self, sizeof(struct vcpu_runstate_info),
                           -XEN_EFAULT);
    static const uint32_t vcpus[] = {64, 128, 8191, 8192, 0x7fffffff, 0x80000000, 0xffffffff};
    refusals_begin();
    for (int number = 0; number < 16; number++)
        for (unsigned int i = 0; i < 7; i++)
            refusal(HYPERVISOR_vcpu_op(number, vcpus[i], (void *)HYPERVISOR_ADDRESS), vcpus[i]);
    refusals_end("vcpus that do not exist");
    refusals_begin();
    for (int number = 14; number < 64; number++)
        refusal(HYPERVISOR_vcpu_op(number, 0, (void *)HYPERVISOR_ADDRESS), (uint64_t)number);
    refusal(HYPERVISOR_vcpu_op(-1, 0, (void *)HYPERVISOR_ADDRESS), 64);
    refusals_end("operations that do not exist");
}
