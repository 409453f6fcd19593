/*
 * test: attack-control
 * Asks of Rootstock's control interface, which is domain 0's, to list, pause, suspend, resume, limit,
 * build and write down domains, itself among them. Each call must be refused; for domain 0 those that
 * name no domain.
 */
#include "guest.h"

#define ROOTSTOCK_CONTROL 55u
#define FIRST_OPERATION 0x100u
#define LAST_OPERATION 0x120u

void test_main(void)
{
    static const domid_t domains[] = {0, 1, 2, 77, 0x7ff0, 0x8000, 0xffff};
    static const uint64_t values[] = {0, 1, ~0ull, 1ull << 40, 1ull << 63};
    bool is_first = start_info->flags & SIF_INITDOMAIN;

    refusals_begin();
    for (unsigned int operation = FIRST_OPERATION; operation <= LAST_OPERATION; operation++) {
        for (unsigned int i = is_first ? 3 : 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
            for (unsigned int j = 0; j < sizeof(values) / sizeof(values[0]); j++) {
                uint64_t argument[8] = {domains[i], values[j], values[j], 0, 0, 0, 0, 0};
                refusal(hypercall(ROOTSTOCK_CONTROL, operation, (unsigned long)argument, 0, 0, 0),
                        operation << 16 | domains[i]);
            }
        }
        refusal(hypercall(ROOTSTOCK_CONTROL, operation, HYPERVISOR_ADDRESS, 0, 0, 0), operation);
        refusal(hypercall(ROOTSTOCK_CONTROL, operation, NON_CANONICAL_ADDRESS, 0, 0, 0), operation);
    }
    refusals_end("operations on domains");
}
