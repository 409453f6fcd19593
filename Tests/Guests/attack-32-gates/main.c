/*
 * test: attack-32-gates
 * Call gates of every privilege, in the GDT and the LDT, into ring 0, the hypervisor's segments, own code
 * of each ring and nothing, called and jumped to from ring 1 and ring 3. In long mode a gate leads to 64-bit
 * code alone, of which a 32-bit guest has none: each way ends in a fault of the guest's.
 */
#include "guest.h"
#include "segments.h"

USER_CODE(user_call, "lcall *(%edi); " SYSTEM_CALL "; ud2");
USER_CODE(user_jump, "ljmp *(%edi); ud2");
extern const char gate_target[];
__asm__(".pushsection .text; gate_target: lret; .popsection");

struct far_pointer {
    uint32_t offset;
    uint16_t selector;
} __attribute__((packed));

static unsigned int passed;

static void user_through(const void *code, uint16_t selector)
{
    struct far_pointer *pointer = user_data();
    *pointer = (struct far_pointer){0, selector | 3};
    struct trap_frame frame = user_frame(code);
    frame.rdi = USER_DATA;
    user_run(&frame);
    passed += frame.vector == ENTRY_SYSCALL;
    refusal(frame.vector == VECTOR_GP || frame.vector == VECTOR_NP ? -1 : 0, selector);
}

static void through(uint16_t selector)
{
    struct far_pointer pointer = {0, selector};
    fault_t fault = TRY("lcall *%0", : : "m"(pointer) : "memory");
    refusal(FAULT_VECTOR(fault) == VECTOR_GP || FAULT_VECTOR(fault) == VECTOR_NP ? -1 : 0, selector);
    fault = TRY("ljmp *%0", : : "m"(pointer) : "memory");
    refusal(FAULT_VECTOR(fault) == VECTOR_GP || FAULT_VECTOR(fault) == VECTOR_NP ? -1 : 0, selector);
    user_through(user_call, selector);
    user_through(user_jump, selector);
}

void test_main(void)
{
    user_initialise();
    uint64_t *table = own_gdt(), *local = page_alloc();
    for (unsigned int ring = 0; ring < 4; ring++) {
        descriptor_put(&table[16 + ring], segment(0, 0xfffff, ACCESS_CODE | ACCESS_RING(ring), SEGMENT_FLAT));
        descriptor_put(&table[20 + ring], segment(0, 0xfffff, ACCESS_CONFORMING | ACCESS_RING(ring), SEGMENT_FLAT));
        /* 16-bit code, and data: what else could be taken for the 64-bit code that a gate needs. */
        descriptor_put(&table[24 + ring], segment(0, 0xffff, ACCESS_CODE | ACCESS_RING(ring), 0));
        descriptor_put(&table[28 + ring],
                       segment(0, 0xfffff, ACCESS_DATA | ACCESS_RING(ring), SEGMENT_LONG | SEGMENT_PAGES));
    }
    /* Into the hypervisor's own segments. */
    static const uint16_t reserved[] = {0xe000, 0xe008, 0xe009, 0xe00b, 0xe010, 0xe013, 0xe020,
                                        0xe021, 0xe030, 0xe033, 0xe038, 0xe040, 0xe04b, 0xe050,
                                        0xe800, 0xeff8, 0xf000, 0xfff8, 0xfffb};
    refusals_begin();
    for (unsigned int i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
        for (unsigned int ring = 0; ring < 4; ring++)
            refusal(descriptor_put(&table[4], gate(reserved[i], 0, ACCESS_CALL_GATE | ACCESS_RING(ring))),
                    reserved[i]);
    refusals_end("gates into the hypervisor's segments");

    static const uint16_t own[] = {0,      1,      3,      0x20,   0x80,   0x88,   0x89,   0x90,
                                   0x98,   0x9b,   0xa0,   0xa8,   0xa9,   0xb0,   0xb8,   0xbb,
                                   0xc0,   0xc9,   0xdb,   0xe0,   0xe9,   0xfb,   0xe018, 0xe019,
                                   0xe01b, 0xe028, 0xe02b, 0x0c,   0x84,   0xe00c, 0xdff8, 0xffff};
    refusals_begin();
    for (unsigned int i = 0; i < sizeof(own) / sizeof(own[0]); i++)
        for (unsigned int ring = 0; ring < 4; ring++) {
            /* The second half of a long gate is the next entry: the upper half of the offset. */
            for (unsigned int upper = 0; upper < 2; upper++) {
                descriptor_put(&table[4], gate(own[i], (uint32_t)gate_target, ACCESS_CALL_GATE | ACCESS_RING(ring)));
                descriptor_put(&table[5], upper ? 0xffff82d0 : 0);
                through(4 << 3 | ring);
            }
        }
    refusals_end("calls and jumps through gates");

    for (unsigned int ring = 0; ring < 4; ring++)
        local[2 + ring * 2] = gate(0x89, (uint32_t)gate_target, ACCESS_CALL_GATE | ACCESS_RING(ring));
    page_read_only(local);
    struct mmuext_op op = {.cmd = MMUEXT_SET_LDT, .arg1.linear_addr = (unsigned long)local, .arg2.nr_ents = 512};
    expect_result("an LDT of gates", HYPERVISOR_mmuext_op(&op, 1, 0, DOMID_SELF), 0);
    refusals_begin();
    for (unsigned int ring = 0; ring < 4; ring++)
        through((2 + ring * 2) << 3 | 4 | ring);
    refusals_end("calls and jumps through those of the LDT");
    page_writable(page_alloc());
    expect_value("gates that were passed", passed, 0);
    static const unsigned int others[] = {1, 2, 3, 4, 5, 6, 7, 9, 11, 14, 15};
    refusals_begin();
    for (unsigned int i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        for (unsigned int ring = 0; ring < 4; ring++)
            refusal(descriptor_put(&table[4], gate(0x89, (uint32_t)gate_target, 0x80 | others[i] | ACCESS_RING(ring))),
                    others[i]);
    refusals_end("task, interrupt and 16-bit gates");
}
