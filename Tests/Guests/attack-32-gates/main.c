/*
 * test: attack-32-gates
 * Call gates of every privilege, in the GDT and the LDT, into ring 0, the hypervisor's segments, own code
 * of each ring and nothing, called and jumped to from ring 1 and ring 3. The hypervisor carries out what a
 * gate of the guest's allows (call-gates-32): no more than that must pass, and nothing in ring 0.
 */
#include "guest.h"
#include "segments.h"

USER_CODE(user_call, "lcall *(%edi); " SYSTEM_CALL "; ud2");
USER_CODE(user_jump, "ljmp *(%edi); ud2");
/* Notes the ring that it runs in, and goes where gate_way says. */
extern const char gate_target[], gate_return[], gate_landed[];
uint32_t gate_rings;
const char *gate_way;
__asm__(".pushsection .text; gate_target: pushl %eax; movw %cs, %ax; andl $3, %eax; btsl %eax, gate_rings;"
        "popl %eax; jmp *gate_way; gate_return: lret; .popsection");

struct far_pointer {
    uint32_t offset;
    uint16_t selector;
} __attribute__((packed));

static unsigned int passed;

/* Where a gate to `code` of `level` leads from a ring: the ring behind it, or 0. */
static unsigned int ring_behind(uint16_t code, unsigned int level, unsigned int ring, unsigned int rpl, bool is_jump)
{
    unsigned int index = code >> 3, privilege;
    bool is_conforming = index >= 20 && index < 24;

    if (ring > level || rpl > level || code & 4)
        return 0;
    if (index >= 16 && index < 24)
        privilege = index % 4 ? index % 4 : 1;
    else if (index == 0xe018 >> 3)
        privilege = 1;
    else if (index == 0xe028 >> 3)
        privilege = 3;
    else
        return 0;
    if (privilege > ring || (is_jump && !is_conforming && privilege != ring))
        return 0;
    if (is_conforming || privilege == ring)
        return ring;
    return privilege == 1 ? 1 : 0; /* There is no stack for ring 2. */
}

static void user_through(const void *code, uint16_t selector, unsigned int expected)
{
    struct far_pointer *pointer = user_data();
    *pointer = (struct far_pointer){0, selector | 3};
    struct trap_frame frame = user_frame(code);
    frame.rdi = USER_DATA;
    user_run(&frame);
    bool is_through = frame.vector == ENTRY_SYSCALL;
    passed += is_through;
    /* In ring 3 the kernel's page stops it. */
    bool is_right = expected == 3 ? frame.vector == VECTOR_PF : is_through == (expected == 1);
    refusal(is_right ? -1 : 0, selector);
}

__attribute__((noinline)) static void kernel_through(bool is_jump, uint16_t selector, unsigned int expected)
{
    struct far_pointer pointer = {0, selector};
    fault_t fault;
    if (is_jump) {
        gate_way = gate_landed;
        fault = TRY("ljmp *%0; gate_landed:", : : "m"(pointer) : "memory");
    } else {
        fault = TRY("lcall *%0", : : "m"(pointer) : "memory");
    }
    gate_way = gate_return;
    passed += fault == NO_FAULT;
    refusal((fault == NO_FAULT) == (expected == 1) ? -1 : 0, selector);
}

static void through(uint16_t selector, uint16_t code, unsigned int level)
{
    gate_way = gate_return;
    for (unsigned int is_jump = 0; is_jump < 2; is_jump++) {
        kernel_through(is_jump, selector, ring_behind(code, level, 1, selector & 3, is_jump));
        user_through(is_jump ? user_jump : user_call, selector, ring_behind(code, level, 3, 3, is_jump));
    }
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
                /* Level 0 stands for that of the selector. */
                through(4 << 3 | ring, own[i], ring ? ring : own[i] & 3);
            }
        }
    refusals_end("calls and jumps that no gate allows");

    for (unsigned int ring = 0; ring < 4; ring++)
        local[2 + ring * 2] = gate(0x89, (uint32_t)gate_target, ACCESS_CALL_GATE | ACCESS_RING(ring));
    page_read_only(local);
    struct mmuext_op op = {.cmd = MMUEXT_SET_LDT, .arg1.linear_addr = (unsigned long)local, .arg2.nr_ents = 512};
    expect_result("an LDT of gates", HYPERVISOR_mmuext_op(&op, 1, 0, DOMID_SELF), 0);
    refusals_begin();
    for (unsigned int ring = 0; ring < 4; ring++)
        through((2 + ring * 2) << 3 | 4 | ring, 0x89, ring ? ring : 1);
    refusals_end("likewise through those of the LDT");
    page_writable(page_alloc());
    expect_true("some gates were passed", passed > 100);
    expect_value("rings behind them", gate_rings, 1 << 1);
    static const unsigned int others[] = {1, 2, 3, 4, 5, 6, 7, 9, 11, 14, 15};
    refusals_begin();
    for (unsigned int i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        for (unsigned int ring = 0; ring < 4; ring++)
            refusal(descriptor_put(&table[4], gate(0x89, (uint32_t)gate_target, 0x80 | others[i] | ACCESS_RING(ring))),
                    others[i]);
    refusals_end("task, interrupt and 16-bit gates");
}
