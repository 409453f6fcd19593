/*
 * test: failsafe
 * A vcpu that does not run keeps selectors of data segments. When its descriptors have gone meanwhile
 * the kernel is entered at the failsafe callback instead of where it was, with the four selectors in
 * the frame, and null selectors in the registers; from user mode too. Vcpu 1 takes vcpu 0 down,
 * changes the descriptor and brings vcpu 0 up again.
 */
#include "guest.h"

#define DATA_RING3 0x00cff3000000ffffull
#define GDT_SELECTOR (2 << 3 | 3)
#define LDT_SELECTOR (2 << 3 | 4 | 3)

/* What ds and es hold in C code; and the segment that user mode can lose. */
#ifdef __x86_64__
#define DATA_AT_START 0
#define USER_SEGMENT "ds"
#else
#define DATA_AT_START FLAT_KERNEL_DS
#define USER_SEGMENT "fs"
#endif

extern char probe[];
static volatile unsigned int entries, mask_inside;
static volatile uint16_t loaded[4];

#ifdef __x86_64__
struct failsafe_frame {
    uint64_t rcx, r11, ds, es, fs, gs, rip, cs, rflags, rsp, ss;
};

__asm__(".text\n"
        ".globl probe\n"
        "probe:\n"
        "    pushq %rax; pushq %rcx; pushq %rdx; pushq %rsi; pushq %rdi\n"
        "    pushq %r8; pushq %r9; pushq %r10; pushq %r11\n"
        "    leaq  72(%rsp), %rdi\n"
        "    call  note\n"
        "    popq %r11; popq %r10; popq %r9; popq %r8\n"
        "    popq %rdi; popq %rsi; popq %rdx; popq %rcx; popq %rax\n"
        "    popq %rcx; popq %r11\n"
        "    addq  $32, %rsp\n"
        "    pushq $0\n"
        "    jmp   hypercall_page + 23 * 32\n");
#else
/* rsp and ss are there from user mode alone. */
struct failsafe_frame {
    uint32_t ds, es, fs, gs, rip, cs, rflags, rsp, ss;
};

/* Without ds nothing else works here: it is looked at first, with es, and both come back from the stack. */
__asm__(".text\n"
        ".globl probe\n"
        "probe:\n"
        "    pushl %eax; pushl %ecx; pushl %edx; pushl %ds; pushl %es\n"
        "    movl  %ss, %eax\n"
        "    movl  %eax, %ds\n"
        "    movl  %eax, %es\n"
        "    movl  %esp, %eax\n"
        "    leal  20(%esp), %ecx\n"
        "    pushl %eax; pushl %ecx\n"
        "    call  note\n"
        "    addl  $8, %esp\n"
        "    popl %es; popl %ds; popl %edx; popl %ecx; popl %eax\n"
        "    addl  $16, %esp\n"
        "    jmp   hypercall_page + 23 * 32\n");
#endif
_Static_assert(__HYPERVISOR_iret == 23 && XEN_HYPERCALL_SLOT_SIZE == 32, "the jumps above");

static volatile struct failsafe_frame seen;

/* On 32 bits `data` are es and ds as they were, and as they will be. */
__attribute__((used)) static void note(const struct failsafe_frame *frame, unsigned long *data)
{
    seen = *frame;
    entries++;
    mask_inside = this_vcpu()->evtchn_upcall_mask;
    uint16_t selector;
#ifdef __x86_64__
    __asm__ volatile("movw %%ds, %0" : "=r"(selector));
    loaded[0] = selector;
    __asm__ volatile("movw %%es, %0" : "=r"(selector));
    loaded[1] = selector;
#else
    loaded[0] = data[1];
    loaded[1] = data[0];
    /* What was lost in the kernel it cannot go on without; user mode has lost neither. */
    for (unsigned int i = 0; i < 2; i++)
        if (!data[i])
            data[i] = FLAT_KERNEL_DS;
    if ((frame->cs & 3) == 1) {
        seen.rsp = (uintptr_t)&frame->rsp;
        __asm__ volatile("movw %%ss, %0" : "=r"(selector));
        seen.ss = selector;
    }
#endif
    __asm__ volatile("movw %%fs, %0" : "=r"(selector));
    loaded[2] = selector;
    __asm__ volatile("movw %%gs, %0" : "=r"(selector));
    loaded[3] = selector;
}

/* What vcpu 1 does while vcpu 0 is down. */
static void (*volatile change)(void);
/* Also read by user mode, as the first word of its page. */
static volatile uint64_t *done;
/* Vcpu 1 waits until user mode has loaded its selector, and has set the second word. */
static volatile bool is_in_user_mode;

static void down_and_up(void)
{
    while (!second_shall_stop()) {
        if (!change || (is_in_user_mode && !done[1])) {
            HYPERVISOR_sched_op(SCHEDOP_yield, 0, 0);
            continue;
        }
        struct vcpu_runstate_info info;
        HYPERVISOR_vcpu_op(VCPUOP_down, 0, 0);
        do {
            info.state = -1;
            HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &info);
        } while (info.state != RUNSTATE_offline);
        change();
        change = 0;
        *done = 1;
        HYPERVISOR_vcpu_op(VCPUOP_up, 0, 0);
    }
}

static uint64_t *table, *local;

static void remove_global(void)
{
    HYPERVISOR_update_descriptor(machine_address(&table[2]), 0);
}

static void remove_local(void)
{
    HYPERVISOR_update_descriptor(machine_address(&local[2]), 0);
}

static void nothing(void) {}

static void wait_for(void (*what)(void))
{
    seen = (struct failsafe_frame){};
    entries = 0;
    *done = 0;
    change = what;
    while (!*done)
        __asm__ volatile("pause");
}

static void tell(const char *what)
{
    print("%s: %u, frame ds %lx es %lx fs %lx gs %lx cs %lx ss %lx rflags %lx, mask %u\n", what, entries,
          (uint64_t)seen.ds, (uint64_t)seen.es, (uint64_t)seen.fs, (uint64_t)seen.gs, (uint64_t)seen.cs,
          (uint64_t)seen.ss, (uint64_t)(seen.rflags & ~0x8d5ul), mask_inside);
    print("    loaded ds %x es %x fs %x gs %x, mask after %u\n", loaded[0], loaded[1], loaded[2],
          loaded[3], this_vcpu()->evtchn_upcall_mask);
}

static void restore(void)
{
    __asm__ volatile("movw %w1, %%ds; movw %w1, %%es; movw %w0, %%fs; movw %w0, %%gs"
                     :
                     : "r"(0), "r"(DATA_AT_START));
    if (HYPERVISOR_update_descriptor(machine_address(&table[2]), DATA_RING3))
        panic("the descriptor is refused");
}

static long enter(uint16_t flags)
{
    struct callback_register callback = {
        .type = CALLBACKTYPE_failsafe, .flags = flags, .address = ENTRY_POINT(probe)};
    return HYPERVISOR_callback_op(CALLBACKOP_register, &callback);
}

/* A number in each of two registers has to come through it: rcx and r11, ecx and edx. */
#ifdef __x86_64__
#define SECOND_REGISTER "r11"
#else
#define SECOND_REGISTER "edx"
#endif
USER_CODE(user_spin, "movw %di, %" USER_SEGMENT "; mov $0x5555, %" CX "; mov $0x6666, %" SECOND_REGISTER "\n"
                     "movl $1, 8(%" SI ")\n"
                     "1: pause; cmpl $0, (%" SI "); je 1b\n"
                     "mov %" CX ", %" DI "; mov %" SECOND_REGISTER ", %" DX "; movw %" USER_SEGMENT ", %ax\n"
                     SYSTEM_CALL "; ud2");

void test_main(void)
{
    static uint64_t word;
    done = &word;
    table = page_alloc();
    table[2] = DATA_RING3;
    page_read_only(table);
    local = page_alloc();
    local[2] = DATA_RING3;
    page_read_only(local);
    xen_pfn_t frame = mfn_of(table);
    if (HYPERVISOR_set_gdt(&frame, 512))
        panic("the GDT is refused");
    expect_result("failsafe without flags", enter(0), 0);
    if (!second_start(down_and_up))
        return;
    events_enable();
    __asm__ volatile("movw %w0, %%ds" : : "r"(GDT_SELECTOR));
    wait_for(nothing);
    expect_value("descriptor as before: entries", entries, 0);
    wait_for(remove_global);
    tell("ds");
    expect_value("entries", entries, 1);
    expect_value("ds", seen.ds, GDT_SELECTOR);
    expect_true("the frame's stack is the kernel's", seen.rsp - (uintptr_t)&frame + 4096 < 8192);
    restore();
    __asm__ volatile("movw %w0, %%es" : : "r"(GDT_SELECTOR));
    wait_for(remove_global);
    tell("es");
    restore();
    __asm__ volatile("movw %w0, %%fs" : : "r"(GDT_SELECTOR));
    wait_for(remove_global);
    tell("fs");
    restore();
    __asm__ volatile("movw %w0, %%gs" : : "r"(GDT_SELECTOR));
    wait_for(remove_global);
    tell("gs");
    restore();
    expect_result("failsafe that masks events", enter(CALLBACKF_mask_events), 0);
    __asm__ volatile("movw %w0, %%ds; movw %w0, %%es; movw %w1, %%fs; movw %w0, %%gs"
                     :
                     : "r"(GDT_SELECTOR), "r"(FLAT_USER_SS));
    wait_for(remove_global);
    tell("ds, es and gs, fs good");
    restore();
    expect_result("set_callbacks", callbacks_register(probe), 0);
    __asm__ volatile("movw %w0, %%ds" : : "r"(GDT_SELECTOR));
    wait_for(remove_global);
    tell("after set_callbacks");
    restore();
    events_disable();
    __asm__ volatile("movw %w0, %%ds" : : "r"(GDT_SELECTOR));
    wait_for(remove_global);
    tell("with events masked");
    restore();
    events_enable();

    struct mmuext_op op = {.cmd = MMUEXT_SET_LDT,
                           .arg1.linear_addr = (unsigned long)local,
                           .arg2.nr_ents = 512};
    expect_result("set the LDT", HYPERVISOR_mmuext_op(&op, 1, 0, DOMID_SELF), 0);
    __asm__ volatile("movw %w0, %%es" : : "r"(LDT_SELECTOR));
    wait_for(remove_local);
    tell("of the LDT");
    restore();
    if (HYPERVISOR_update_descriptor(machine_address(&local[2]), DATA_RING3))
        panic("the LDT's descriptor is refused");
    __asm__ volatile("movw %w0, %%es" : : "r"(LDT_SELECTOR));
    /* The hypervisor forgets the pages of the LDT that it knows, and finds none again. */
    expect_result("unmap the LDT's page",
                  HYPERVISOR_update_va_mapping((unsigned long)local, 0, UVMF_INVLPG), 0);
    op.arg2.nr_ents = 511;
    expect_result("set the LDT again", HYPERVISOR_mmuext_op(&op, 1, 0, DOMID_SELF), 0);
    wait_for(nothing);
    tell("of an LDT that is gone");
    restore();

    user_initialise();
    done = user_data();
    struct trap_frame user = user_frame(user_spin);
    user.rdi = GDT_SELECTOR;
    user.rsi = USER_DATA;
    entries = 0;
    seen = (struct failsafe_frame){};
    *done = 0;
    is_in_user_mode = true;
    change = remove_global;
    user_run(&user);
    tell("in user mode");
    expect_fault("it goes on", FAULT(user.vector, user.error_code), FAULT(ENTRY_SYSCALL, 0));
    expect_value("its " CX, user.rdi, 0x5555);
    expect_value("its " SECOND_REGISTER, user.rdx, 0x6666);
    expect_true("rip in its code", seen.rip - user_address(user_spin) < 64);
    expect_value("its " USER_SEGMENT, user.rax & 0xffff, 0);
    second_stop();
}
