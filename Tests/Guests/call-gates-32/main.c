/*
 * test: call-gates-32
 * Call gates of a 32-bit guest, of which long mode has none: the hypervisor does what the processor would
 * have done. Calls into the kernel with parameters, calls and jumps within a ring, and all that a processor
 * refuses, by Intel SDM volume 3, 5.8.
 */
#include "guest.h"
#include "segments.h"

#define GATE 4    /* entries of the table */
#define TARGET 16
#define SELECTOR(entry) ((entry) << 3)
#define FLAT_KERNEL 0xe019
#define FLAT_USER 0xe02b

struct far_pointer {
    uint32_t offset;
    uint16_t selector;
} __attribute__((packed));

/* What is found behind a gate: cs, the way back's cs, two parameters, the outer esp and ss, and a count. */
uint32_t gate_seen[7];
extern const char kernel_two[], kernel_near[], kernel_landed[];
__asm__(".pushsection .text\n"
        "kernel_two: xorl %eax, %eax; movw %cs, %ax; movl %eax, gate_seen\n"
        "movl 4(%esp), %eax; movl %eax, gate_seen + 4; movl 8(%esp), %eax; movl %eax, gate_seen + 8\n"
        "movl 12(%esp), %eax; movl %eax, gate_seen + 12; movl 16(%esp), %eax; movl %eax, gate_seen + 16\n"
        "movl 20(%esp), %eax; movl %eax, gate_seen + 20; incl gate_seen + 24; lret $8\n"
        "kernel_near: xorl %eax, %eax; movw %cs, %ax; movl %eax, gate_seen; incl gate_seen + 24; lret\n"
        "kernel_jump: ljmp $0x20, $0; ud2\n"
        "kernel_landed: incl gate_seen + 24; ret\n"
        ".popsection");

USER_CODE(user_call, "pushl $0x2222; pushl $0x1111; lcall *(%edi); " SYSTEM_CALL "; ud2");
USER_CODE(user_short, "pushl $0x2222; pushl $0x1111; lcallw *2(%edi); " SYSTEM_CALL "; ud2");
USER_CODE(user_direct, "pushl $0x2222; pushl $0x1111; lcall $0x23, $0xdead; " SYSTEM_CALL "; ud2");
USER_CODE(user_jump, "ljmp *(%edi); ud2");
USER_CODE(user_stack, "movl %esi, %esp; lcall *(%edi); " SYSTEM_CALL "; ud2");
USER_CODE(user_near, "movw %cs, %bx; incl %ecx; lret");
USER_CODE(user_landed, "movw %cs, %bx; incl %ecx; " SYSTEM_CALL "; ud2");
/* Two bytes before the kernel's address in %esi: the offset would lie there. */
USER_CODE(user_pointer, "lcall *(%esi); " SYSTEM_CALL "; ud2");

static uint64_t *table;

static uint64_t with_parameters(uint64_t gate, unsigned int count) { return gate | (uint64_t)count << 32; }

static void put_gate(uint16_t selector, const void *code, unsigned int level, unsigned int parameters)
{
    descriptor_put(&table[GATE], with_parameters(gate(selector, (uint32_t)code, ACCESS_CALL_GATE | ACCESS_RING(level)),
                                                 parameters));
}

static struct trap_frame from_user(const void *code, uint16_t selector, uint32_t rsi)
{
    struct far_pointer *pointer = user_data();
    *pointer = (struct far_pointer){0xdeadbeef, selector};
    memset(gate_seen, 0, sizeof(gate_seen));
    struct trap_frame frame = user_frame(code);
    frame.rdi = USER_DATA;
    frame.rsi = rsi;
    frame.rcx = 0;
    user_run(&frame);
    return frame;
}

static void calls(const char *what, const void *code, uint16_t selector)
{
    uint32_t stack = user_frame(code).rsp;
    struct trap_frame frame = from_user(code, selector, 0);
    expect_fault(what, FAULT(frame.vector, frame.error_code), FAULT(ENTRY_SYSCALL, 0));
    expect_value("  times", gate_seen[6], 1);
    expect_value("  ring inside", gate_seen[0] & 3, 1);
    expect_value("  code outside", gate_seen[1], FLAT_USER);
    expect_value("  first parameter", gate_seen[2], 0x1111);
    expect_value("  second parameter", gate_seen[3], 0x2222);
    expect_value("  outer stack, below its end", stack - gate_seen[4], 8);
    expect_value("  outer stack's selector", gate_seen[5] & 3, 3);
    expect_value("  stack afterwards", stack - (uint32_t)frame.rsp, 0);
    expect_value("  ring afterwards", frame.cs & 3, 3);
}

static void faults(const char *what, const void *code, uint16_t selector, fault_t expected)
{
    struct trap_frame frame = from_user(code, selector, 0);
    expect_fault(what, FAULT(frame.vector, frame.error_code), expected);
    expect_value("  times", gate_seen[6], 0);
}

static void into_the_kernel(void)
{
    put_gate(FLAT_KERNEL, kernel_two, 3, 2);
    calls("a call with two parameters", user_call, SELECTOR(GATE) | 3);
    calls("by a selector of RPL 0", user_call, SELECTOR(GATE));
    calls("with the pointer in the instruction", user_direct, SELECTOR(GATE) | 3);
    calls("with an offset of 16 bits", user_short, SELECTOR(GATE) | 3);
    expect_value("the gate's level in the table", table[GATE] >> 45 & 3, 0);
    expect_value("in its selector", table[GATE] >> 16 & 3, 3);
    descriptor_put(&table[TARGET], segment(0, 0xfffff, ACCESS_CODE, SEGMENT_FLAT));
    put_gate(SELECTOR(TARGET), kernel_two, 3, 2);
    calls("to a segment of the guest's own, of ring 0", user_call, SELECTOR(GATE) | 3);
    faults("a jump into the kernel", user_jump, SELECTOR(GATE) | 3, FAULT(VECTOR_GP, SELECTOR(TARGET)));
}

static void what_is_refused(void)
{
    uint16_t used = SELECTOR(GATE) | 3;

    for (unsigned int level = 0; level < 3; level++) {
        put_gate(SELECTOR(TARGET), kernel_two, level, 2);
        print("level %u: ", level);
        faults("a call", user_call, used, FAULT(VECTOR_GP, SELECTOR(GATE)));
    }
    put_gate(0, kernel_two, 3, 2);
    faults("to no segment", user_call, used, FAULT(VECTOR_GP, 0));
    put_gate(SELECTOR(500), kernel_two, 3, 2);
    faults("to an empty entry", user_call, used, FAULT(VECTOR_GP, SELECTOR(500)));
    put_gate(SELECTOR(1000), kernel_two, 3, 2);
    faults("to an entry behind the table's end", user_call, used, FAULT(VECTOR_GP, SELECTOR(1000)));
    put_gate(SELECTOR(TARGET + 1), kernel_two, 3, 2);
    descriptor_put(&table[TARGET + 1], segment(0, 0xfffff, ACCESS_DATA, SEGMENT_FLAT));
    faults("to data", user_call, used, FAULT(VECTOR_GP, SELECTOR(TARGET + 1)));
    descriptor_put(&table[TARGET + 1], segment(0, 0xfffff, ACCESS_CODE & 0x7f, SEGMENT_FLAT));
    faults("to code that is not present", user_call, used, FAULT(VECTOR_NP, SELECTOR(TARGET + 1)));
    descriptor_put(&table[TARGET + 1], segment(0, 0xfffff, ACCESS_CODE | ACCESS_RING(2), SEGMENT_FLAT));
    faults("into ring 2, which has no stack", user_call, used, FAULT(VECTOR_TS, 0xe020));
    put_gate(SELECTOR(TARGET + 1), kernel_two, 3, 2);
    descriptor_put(&table[TARGET + 1], segment(0, 0xfff, ACCESS_CODE, SEGMENT_WIDE));
    faults("behind the code's limit", user_call, used, FAULT(VECTOR_GP, 0));
    descriptor_put(&table[GATE], gate(SELECTOR(TARGET), (uint32_t)kernel_two, (ACCESS_CALL_GATE & 0x7f) | ACCESS_RING(3)));
    faults("by a gate that is not present", user_call, used, FAULT(VECTOR_NP, SELECTOR(GATE)));
    put_gate(SELECTOR(TARGET), kernel_two, 3, 2);
}

/* User mode must not have the hypervisor read or write its kernel's memory. */
static void at_the_kernels_pages(void)
{
    uint32_t page = (uint32_t)page_alloc();
    memset((void *)page, 0x5a, 4096);
    put_gate(FLAT_USER, (const void *)(uintptr_t)user_address(user_near), 3, 0);
    struct trap_frame frame = from_user(user_stack, SELECTOR(GATE) | 3, page + 64);
    expect_fault("a call on a stack of the kernel's", FAULT(frame.vector, frame.error_code),
                 FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE | PF_USER));
    expect_value("  at", this_vcpu()->arch.cr2 - page, 56);
    put_gate(FLAT_KERNEL, kernel_two, 3, 2);
    frame = from_user(user_stack, SELECTOR(GATE) | 3, page + 64);
    expect_fault("parameters of the kernel's", FAULT(frame.vector, frame.error_code),
                 FAULT(VECTOR_PF, PF_PRESENT | PF_USER));
    expect_value("  times", gate_seen[6], 0);
    frame = from_user(user_stack, SELECTOR(GATE) | 3, 0x30000000);
    expect_fault("parameters of nobody's", FAULT(frame.vector, frame.error_code), FAULT(VECTOR_PF, PF_USER));
    frame = from_user(user_stack, SELECTOR(GATE) | 3, hypervisor_start() + 4096);
    expect_true("parameters of the hypervisor's are refused", frame.vector == VECTOR_PF || frame.vector == VECTOR_GP);
    expect_value("  at", this_vcpu()->arch.cr2 - hypervisor_start(), 4096);
    expect_value("  times", gate_seen[6], 0);
    bool is_whole = true;
    for (unsigned int i = 0; i < 4096; i++)
        is_whole &= ((volatile uint8_t *)page)[i] == 0x5a;
    expect_true("the kernel's page is as it was", is_whole);
}

static void within_a_ring(void)
{
    put_gate(FLAT_USER, (const void *)(uintptr_t)user_address(user_near), 3, 5);
    uint32_t stack = user_frame(user_call).rsp;
    struct trap_frame frame = from_user(user_call, SELECTOR(GATE) | 3, 0);
    expect_fault("a call within ring 3", FAULT(frame.vector, frame.error_code), FAULT(ENTRY_SYSCALL, 0));
    expect_value("  times", frame.rcx, 1);
    expect_value("  ring inside", frame.rbx & 3, 3);
    expect_value("  stack afterwards", stack - (uint32_t)frame.rsp, 8);
    put_gate(FLAT_USER, (const void *)(uintptr_t)user_address(user_landed), 3, 0);
    frame = from_user(user_jump, SELECTOR(GATE) | 3, 0);
    expect_fault("a jump within ring 3", FAULT(frame.vector, frame.error_code), FAULT(ENTRY_SYSCALL, 0));
    expect_value("  times", frame.rcx, 1);
    descriptor_put(&table[TARGET], segment(0, 0xfffff, ACCESS_CONFORMING, SEGMENT_FLAT));
    put_gate(SELECTOR(TARGET), (const void *)(uintptr_t)user_address(user_near), 3, 0);
    frame = from_user(user_call, SELECTOR(GATE) | 3, 0);
    expect_fault("a call to conforming code of ring 1", FAULT(frame.vector, frame.error_code), FAULT(ENTRY_SYSCALL, 0));
    expect_value("  ring inside", frame.rbx & 3, 3);

    struct far_pointer pointer = {0, SELECTOR(GATE)};
    put_gate(FLAT_KERNEL, kernel_near, 1, 0);
    gate_seen[6] = 0;
    expect_fault("a call within ring 1", TRY("lcall *%0", : : "m"(pointer) : "eax", "memory"), NO_FAULT);
    expect_fault("with the pointer in the instruction", TRY("lcall $0x20, $0", : : : "eax", "memory"), NO_FAULT);
    expect_value("  times", gate_seen[6], 2);
    expect_value("  ring inside", gate_seen[0] & 3, 1);
    put_gate(FLAT_KERNEL, kernel_landed, 1, 0);
    expect_fault("a jump within ring 1", TRY("call kernel_jump", : : : "memory"), NO_FAULT);
    expect_value("  times", gate_seen[6], 3);
    put_gate(FLAT_USER, kernel_near, 3, 0);
    expect_fault("a call out to ring 3", TRY("lcall *%0", : : "m"(pointer) : "eax", "memory"),
                 FAULT(VECTOR_GP, FLAT_USER & ~3));
}

static void in_an_ldt(void)
{
    uint64_t *local = page_alloc();
    local[6] = with_parameters(gate(7 << 3 | 4, (uint32_t)kernel_two, ACCESS_CALL_GATE | ACCESS_RING(3)), 2);
    local[7] = segment(0, 0xfffff, ACCESS_CODE | ACCESS_RING(1), SEGMENT_FLAT);
    page_read_only(local);
    struct mmuext_op op = {.cmd = MMUEXT_SET_LDT, .arg1.linear_addr = (unsigned long)local, .arg2.nr_ents = 512};
    expect_result("an LDT with a gate", HYPERVISOR_mmuext_op(&op, 1, 0, DOMID_SELF), 0);
    calls("a call by it", user_call, 6 << 3 | 7);
    expect_value("the code's selector", gate_seen[0], 7 << 3 | 5);
}

void test_main(void)
{
    user_initialise();
    table = own_gdt();
    into_the_kernel();
    what_is_refused();
    at_the_kernels_pages();
    within_a_ring();
    in_an_ldt();
}
