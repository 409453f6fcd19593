/*
 * test: rings-32
 * The address space and the rings as a 32-bit guest sees them from inside: selectors with their limits and
 * rights in both modes, where the hypervisor's part lies, and what stops the kernel and user mode at each
 * border. guides/rings-32.md draws it.
 */
#include "guest.h"

#define LOOK(name) "movw %" #name ", %ax; movl %eax, (%edi); addl $4, %edi; "
USER_CODE(user_selectors, "xorl %eax, %eax; " LOOK(cs) LOOK(ds) LOOK(ss) LOOK(es) LOOK(fs) LOOK(gs) SYSTEM_CALL "; ud2");
/* lsl and lar of the selector in %ecx, with ZF behind each. */
USER_CODE(user_limit, "lsl %ecx, %eax; setz %bl; lar %ecx, %edx; " SYSTEM_CALL "; ud2");
USER_CODE(user_read, "movb (%edi), %al; " SYSTEM_CALL "; ud2");
USER_CODE(user_write, "movb $1, (%edi); " SYSTEM_CALL "; ud2");

static const char *const names[6] = {"cs", "ds", "ss", "es", "fs", "gs"};

static void tell(const char *name, uint32_t selector, bool is_seen, uint32_t limit, uint32_t rights)
{
    print("  %s 0x%04x: ", name, selector);
    if (!is_seen) {
        print("no descriptor that this ring sees\n");
        return;
    }
    unsigned int kind = rights >> 8 & 15;
    print("%s of ring %u, %u bits, %s, last byte 0x%08x\n", kind & 8 ? "code" : "data", rights >> 13 & 3,
          rights >> 22 & 1 ? 32 : 16, kind & 8 ? (kind & 2 ? "readable" : "not readable") : kind & 2 ? "writable" : "not writable", limit);
}

static void of_kernel(const char *name, uint32_t selector)
{
    uint32_t limit = 0, rights = 0;
    bool is_seen;
    __asm__("lsl %2, %0; setz %1" : "+r"(limit), "=q"(is_seen) : "r"(selector) : "cc");
    __asm__("lar %1, %0" : "+r"(rights) : "r"(selector) : "cc");
    tell(name, selector, is_seen, limit, rights);
}

static void of_user(const char *name, uint32_t selector)
{
    struct trap_frame frame = user_frame(user_limit);
    frame.rcx = selector;
    user_run(&frame);
    tell(name, selector, frame.rbx & 1, frame.rax, frame.rdx);
}

static fault_t user(const void *code, uint32_t address)
{
    struct trap_frame frame = user_frame(code);
    frame.rdi = address;
    user_run(&frame);
    return frame.vector == ENTRY_SYSCALL ? NO_FAULT : FAULT(frame.vector, frame.error_code);
}

/* Behind the segments' limits it is a #GP by the limit, or with QEMU 7.2, which has none, a #PF. */
static const char *fault_at(fault_t fault, uint32_t address)
{
    bool is_beyond = address >= machine_to_physical_end();
    if (is_beyond && (fault == FAULT(VECTOR_GP, 0) || (FAULT_VECTOR(fault) == VECTOR_PF && !(fault & PF_PRESENT))))
        return "stopped";
    return fault_name(fault);
}

static void border(const char *what, uint32_t address, bool writes)
{
    uint8_t value;
    fault_t fault = TRY("movb (%1), %0", : "=q"(value) : "r"(address) : "memory");
    print("0x%08x %s: kernel reads: %s", address, what, fault_at(fault, address));
    if (writes) {
        fault = TRY("movb $1, (%0)", : : "r"(address) : "memory");
        print(", writes: %s", fault_at(fault, address));
    }
    print("; user reads: %s", fault_at(user(user_read, address), address));
    if (writes)
        print(", writes: %s", fault_at(user(user_write, address), address));
    print("\n");
    if (address >= hypervisor_start() && writes && fault == NO_FAULT)
        failure("the hypervisor's part was written");
}

void test_main(void)
{
    const uint32_t start = hypervisor_start(), end = machine_to_physical_end();
    uint32_t selectors[6] = {0};
    __asm__ volatile("movw %%cs, %w0" : "+r"(selectors[0]));
    __asm__ volatile("movw %%ds, %w0" : "+r"(selectors[1]));
    __asm__ volatile("movw %%ss, %w0" : "+r"(selectors[2]));
    __asm__ volatile("movw %%es, %w0" : "+r"(selectors[3]));
    __asm__ volatile("movw %%fs, %w0" : "+r"(selectors[4]));
    __asm__ volatile("movw %%gs, %w0" : "+r"(selectors[5]));
    print("kernel mode, ring %u\n", selectors[0] & 3);
    for (unsigned int i = 0; i < 6; i++)
        of_kernel(names[i], selectors[i]);

    struct trap_frame frame = user_frame(user_selectors);
    frame.rdi = USER_DATA;
    user_run(&frame);
    expect_fault("user mode's system call", FAULT(frame.vector, frame.error_code), FAULT(ENTRY_SYSCALL, 0));
    const uint32_t *found = user_data();
    print("user mode, ring %u\n", found[0] & 3);
    for (unsigned int i = 0; i < 6; i++)
        of_user(names[i], found[i]);

    print("other entries of the table, from kernel mode\n");
    of_kernel("the hypervisor's code", 0xe008);
    of_kernel("its data", 0xe010);
    of_kernel("user code", FLAT_USER_CS);
    of_kernel("user data", FLAT_USER_DS);
    print("the same from user mode\n");
    of_user("the hypervisor's code", 0xe008);
    of_user("its data", 0xe010);
    of_user("the kernel's code", FLAT_KERNEL_CS);
    of_user("the kernel's data", FLAT_KERNEL_DS);

    print("the hypervisor's part: 0x%08x to 0xffffffff, the M2P table up to 0x%08x\n", start, end - 1);
    for (unsigned int i = 0; i < 4; i++)
        print("1 GB from 0x%08x: %s\n", i << 30, top_table()[i] & PTE_PRESENT ? "a table" : "none");

    border("the first byte", 0, true);
    border("below the kernel", GUEST_VIRT_BASE - 1, true);
    border("the kernel's first byte", GUEST_VIRT_BASE, false);
    border("user code", USER_TEXT, false);
    border("below the hypervisor's part", start - 1, true);
    border("the M2P table's first byte", start, true);
    border("the M2P table's last byte", end - 1, true);
    border("behind it", end, true);
    border("the last page", 0xfffff000, true);
    border("the last byte", 0xffffffff, true);
}
