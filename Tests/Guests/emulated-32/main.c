/*
 * test: emulated-32
 * Segments have bases, and an instruction that is carried out in the kernel's stead lies where its code
 * segment says, with its operands where theirs say. The same offsets in the flat segments hold
 * something else each time.
 */
#include "guest.h"
#include "segments.h"

#define OFFSET 0x100u
#define CODE (16 << 3 | 1)
#define TABLE (17 << 3 | 1)
#define AREA FREE_ADDRESS

static uint8_t *code, *low;
static unsigned long resume, kept;
static fault_t fault;
static unsigned long fault_ip, fault_cs;
static struct {
    uint32_t offset;
    uint16_t selector;
} __attribute__((packed)) target = {OFFSET, CODE};

static bool hook(struct trap_frame *frame)
{
    fault = FAULT(frame->vector, frame->error_code);
    fault_ip = frame->rip;
    fault_cs = frame->cs & 0xffff;
    frame->rip = resume;
    frame->cs = FLAT_KERNEL_CS;
    frame->rsp = kept;
    return true;
}

/* Calls one instruction at OFFSET in the code segment; at OFFSET of the flat one stand others. */
static fault_t run(const char *bytes, unsigned int count, const char *others, uint32_t *a, uint32_t *b)
{
    uint32_t c = 0, d = 0;
    memset(code, 0xcc, PAGE_SIZE);
    memset(low, 0xcc, PAGE_SIZE);
    memcpy(code + OFFSET, bytes, count);
    code[OFFSET + count] = 0xcb; /* lret */
    memcpy(low + OFFSET, others, strlen(others));
    fault = NO_FAULT;
    set_trap_hook(hook);
    __asm__ volatile("pushl %%ebp; movl %%esp, %1; movl $1f, %0; lcall *%6; 1: popl %%ebp"
                     : "=m"(resume), "=m"(kept), "+a"(*a), "+b"(*b), "+c"(c), "+d"(d)
                     : "m"(target)
                     : "esi", "edi", "memory", "cc");
    set_trap_hook(0);
    return fault;
}

static void in_code_segment(void)
{
    uint32_t a = 0, b = 0;
    expect_fault("mov from cr0", run("\x0f\x20\xc0", 3, "\x0f\x20\xd8", &a, &b), NO_FAULT);
    expect_value("PE and PG", a & 0x80000001, 0x80000001);
    a = 0x40000000;
    expect_fault("cpuid behind the prefix", run("\x0f\x0bxen\x0f\xa2", 7, "\x0f\x0b", &a, &b), NO_FAULT);
    expect_value("XenV", b, 0x566e6558);
    expect_fault("ud2", run("\x0f\x0b", 2, "\x0f\x0bxen\x0f\xa2", &a, &b), FAULT(VECTOR_UD, 0));
    expect_value("its offset", fault_ip, OFFSET);
    expect_value("its segment", fault_cs, CODE);
    expect_fault("hlt", run("\xf4", 1, "\x0f\x06", &a, &b), FAULT(VECTOR_GP, 0));
    expect_value("its offset", fault_ip, OFFSET);
    expect_value("its segment", fault_cs, CODE);
}

static uint8_t *page, *other;
static volatile pte_t *entry;

static void show(const char *what, fault_t found)
{
    expect_fault(what, found, NO_FAULT);
    pte_t now = *entry;
    print("  frame %s, flags %lx\n", pte_frame(now) == mfn_of(page) ? "one" : "two", now & ~PTE_FRAME);
    if (HYPERVISOR_update_va_mapping(AREA, pte_make(mfn_of(page), PTE_READ_WRITE), UVMF_INVLPG))
        panic("the entry does not come back");
}

/* The last-level table is the segment, so that offsets are those in the table. */
static void in_table_segment(void)
{
    uint32_t offset = (uintptr_t)entry & (PAGE_SIZE - 1), to = offset, from = 0;
    uint32_t value = (uint32_t)pte_make(mfn_of(other), PTE_READ_WRITE);
    show("movl to fs", TRY("movl %1, %%fs:(%0)", : : "r"(offset), "r"(value) : "memory"));
    show("lock btrl in gs", TRY("lock btrl $1, %%gs:(%0)", : : "r"(offset) : "memory", "cc"));
    uint32_t low_half = (uint32_t)*entry, high_half = 0;
    show("lock cmpxchg8b in fs",
         TRY("lock cmpxchg8b %%fs:(%2)", : "+a"(low_half), "+d"(high_half)
             : "r"(offset), "b"(value), "c"(0) : "memory", "cc"));
    __asm__ volatile("movw %w0, %%es" : : "r"(TABLE));
    fault_t found = TRY("stosl", : "+D"(to) : "a"(value) : "memory");
    __asm__ volatile("movw %w0, %%es" : : "r"(FLAT_KERNEL_DS));
    show("stosl to es", found);
    expect_value("  edi moved", to - offset, 4);
    /* The value comes out of the segment DS, or what a prefix says: here out of this frame's own. */
    to = offset;
    from = (uintptr_t)&value;
    __asm__ volatile("movw %w0, %%es" : : "r"(TABLE));
    found = TRY("movsl", : "+D"(to), "+S"(from) : : "memory");
    __asm__ volatile("movw %w0, %%es" : : "r"(FLAT_KERNEL_DS));
    show("movsl from ds to es", found);
    to = offset;
    from = offset;
    __asm__ volatile("movw %w0, %%es" : : "r"(TABLE));
    found = TRY("fs movsl", : "+D"(to), "+S"(from) : : "memory");
    __asm__ volatile("movw %w0, %%es" : : "r"(FLAT_KERNEL_DS));
    show("movsl from fs to es", found);
    found = TRY("movw %w2, %%ds; movl %1, (%0); movw %w3, %%ds",
                : : "r"(offset), "r"(value), "r"(TABLE), "r"(FLAT_KERNEL_DS) : "memory");
    show("movl to ds", found);
}

void test_main(void)
{
    uint64_t *table = own_gdt();
    code = page_alloc();
    low = page_alloc();
    page = page_alloc();
    other = page_alloc();
    if (map(ISLAND, pte_make(mfn_of(code), PTE_READ_ONLY)) || map(0, pte_make(mfn_of(low), PTE_READ_ONLY)) ||
        map(AREA, pte_make(mfn_of(page), PTE_READ_WRITE)))
        panic("cannot map");
    entry = entry_of(top_table(), AREA, 1);
    uint32_t base = (uintptr_t)entry & ~(PAGE_SIZE - 1);
    if (descriptor_put(&table[16], segment(ISLAND, PAGE_SIZE - 1, ACCESS_CODE | ACCESS_RING(1), SEGMENT_WIDE)) ||
        descriptor_put(&table[17], segment(base, PAGE_SIZE - 1, ACCESS_DATA | ACCESS_RING(1), SEGMENT_WIDE)))
        panic("a descriptor is refused");
    in_code_segment();
    if (HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables))
        panic("no writable page tables");
    __asm__ volatile("movw %w0, %%fs; movw %w0, %%gs" : : "r"(TABLE));
    in_table_segment();
    __asm__ volatile("movw %w0, %%fs; movw %w0, %%gs" : : "r"(0));
}
