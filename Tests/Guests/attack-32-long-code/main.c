/*
 * test: attack-32-long-code
 * Ring 1 is a supervisor to page tables: what keeps it from the hypervisor is that its code has 32 bits of
 * address. So no descriptor of 64-bit code may become present, by update_descriptor, set_gdt or an LDT, and
 * the hypervisor's own cannot be loaded, by a jump, a call, a return or the iret hypercall.
 */
#include "guest.h"
#include "segments.h"

USER_CODE(user_nothing, SYSTEM_CALL "; ud2");

static long set_ldt(const void *table, uint32_t entries)
{
    struct mmuext_op op = {.cmd = MMUEXT_SET_LDT,
                           .arg1.linear_addr = (unsigned long)table,
                           .arg2.nr_ents = entries};
    return HYPERVISOR_mmuext_op(&op, 1, 0, DOMID_SELF);
}

/* A way back, should a far transfer be taken. */
extern const char far_target[];
__asm__(".pushsection .text; far_target: ret; .popsection");

static fault_t jump(uint16_t selector)
{
    struct {
        uint32_t offset;
        uint16_t selector;
    } __attribute__((packed)) pointer = {(uint32_t)far_target, selector};
    fault_t fault = TRY("ljmp *%0", : : "m"(pointer) : "memory");
    if (fault == NO_FAULT)
        return fault;
    fault = TRY("lcall *%0", : : "m"(pointer) : "memory");
    if (fault == NO_FAULT)
        return fault;
    /* What lret did not take stays on the stack. */
    return TRY("movl %%esp, %%ecx; pushl %0; pushl %1; 4: lret; 5: movl %%ecx, %%esp\n"
               FIXUP(4b, 5b), : : "r"((uint32_t)selector), "r"((uint32_t)far_target) : "ecx", "memory");
}

static bool hook(struct trap_frame *frame)
{
    /* The iret hypercall faults where it would have gone. */
    if (frame->rip >= USER_TEXT && frame->rip < USER_DATA)
        user_ended(frame);
    return false;
}

void test_main(void)
{
    uint64_t *table = own_gdt();
    refusals_begin();
    for (unsigned int kind = 8; kind < 16; kind++)
        for (unsigned int ring = 0; ring < 4; ring++)
            for (unsigned int flags = 0; flags < 16; flags++)
                if (flags & SEGMENT_LONG)
                    refusal(descriptor_put(&table[8], segment(0, 0xfffff, 0x90 | kind | ACCESS_RING(ring), flags)),
                            kind << 8 | ring << 4 | flags);
    refusals_end("64-bit code in the GDT in use");
    expect_value("the entry", table[8], 0);

    uint64_t code = segment(0, 0xfffff, ACCESS_CODE | ACCESS_RING(1), SEGMENT_LONG | SEGMENT_PAGES);
    uint64_t absent = code & ~(1ull << 47);
    uint64_t *other = page_alloc(), *local = page_alloc();
    other[511] = local[511] = code;
    page_read_only(other);
    page_read_only(local);
    xen_pfn_t frame = mfn_of(other);
    refused("set_gdt of a table that has it", HYPERVISOR_set_gdt(&frame, 512));
    expect_result("an LDT that has it", set_ldt(local, 512), 0);
    expect_fault("a load of any of its entries", TRY("movw %w0, %%fs", : : "r"(1 << 3 | 5)),
                 FAULT(VECTOR_PF, 0));
    expect_true("cr2 is in the table", (caught.cr2 & ~0xfffull) == (uintptr_t)local);
    expect_fault("a jump to it", jump(511 << 3 | 5), FAULT(VECTOR_PF, 0));
    set_ldt(0, 0);

    expect_result("not present it is only a number", descriptor_put(&table[8], absent), 0);
    expect_fault("a jump to it", jump(8 << 3 | 1), FAULT(VECTOR_NP, 8 << 3));
    faulted("a store that makes it present", TRY("movb $0xbb, (%0)", : : "r"((uint8_t *)&table[8] + 5) : "memory"));
    faulted("setting its bit", TRY("lock btsl $15, 4(%0)", : : "r"(&table[8]) : "memory", "cc"));
    refused("mmu_update", mmu_update_one(machine_address(&table[8]), code));
    expect_value("it is as before", table[8] - absent, 0);
    own_gdt();

    static const uint16_t selectors[] = {0xe008, 0xe009, 0xe00b, 0xe010, 0xe011, 0xe030, 0xe033,
                                         0xe038, 0xe040, 0xe050, 0xfff9, 0xe00c, 0x0c,   0};
    refusals_begin();
    for (unsigned int i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++)
        refusal(jump(selectors[i]) == NO_FAULT ? 0 : -1, selectors[i]);
    refusals_end("jumps, calls and returns to the hypervisor's selectors");
    set_trap_hook(hook);
    refusals_begin();
    for (unsigned int i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
        struct trap_frame frame = user_frame(user_nothing);
        frame.cs = selectors[i];
        user_run(&frame);
        refusal(frame.vector == VECTOR_GP ? -1 : 0, selectors[i]);
    }
    refusals_end("irets to them");
    set_trap_hook(0);
}
