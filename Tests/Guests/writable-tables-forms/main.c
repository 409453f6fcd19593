/*
 * test: writable-tables-forms
 * Every form of a store that kernels use on page-table entries is carried out: moves of all widths,
 * exchanges, arithmetic with its flags, bits and strings. What is misaligned or refused changes
 * nothing and is a page fault at its address. A word of 32 bits is half an entry.
 */
#include "guest.h"

#define AREA FREE_ADDRESS
#define ARITHMETIC_FLAGS 0x8d5ul

/* The suffix of operands as wide as a register, and how many bytes they have. */
#ifdef __x86_64__
#define W "q"
#else
#define W "l"
#endif
#define WORD sizeof(unsigned long)

static uint64_t *one, *two;
static volatile pte_t *entry;
static unsigned long flags;

static void show(const char *what, fault_t found, fault_t expected)
{
    pte_t now = *entry;
    const char *frame = pte_frame(now) == mfn_of(one) ? "one" : pte_frame(now) == mfn_of(two) ? "two" : "another";
    print("%s: frame %s, flags %lx, ", what, frame, now & ~PTE_FRAME);
    expect_fault("result", found, expected);
    if (found != NO_FAULT)
        expect_value("  cr2 from the entry", caught.cr2 - (uintptr_t)entry, caught.cr2 & 7);
    else if (flags)
        print("  processor's flags %lx\n", (uint64_t)(flags & ARITHMETIC_FLAGS));
    flags = 0;
    HYPERVISOR_update_va_mapping(AREA, pte_make(mfn_of(one), PTE_READ_WRITE), UVMF_INVLPG);
}

#define DONE(text, operands...) show(text, TRY(text, operands), NO_FAULT)
#define REFUSED(text, operands...)                                                                 \
    show(text, TRY(text, operands), FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE))
/* With the flags that it leaves, of which all were clear before. */
#define FLAGS(text, operands...)                                                                   \
    ({                                                                                             \
        fault_t fault = TRY("push $2; popf; " text, operands);                                     \
        __asm__ volatile("pushf; pop %0" : "=r"(flags));                                         \
        show(text, fault, NO_FAULT);                                                               \
    })

static void moves(unsigned long p, unsigned long value)
{
    DONE("mov" W " %1, (%0)", : : "r"(p), "r"(value) : "memory");
#ifdef __x86_64__
    DONE("movl %1, (%0)", : : "r"(p), "r"((uint32_t)value) : "memory");
#endif
    DONE("movw $0x25, (%0)", : : "r"(p) : "memory");
    DONE("movb $0x25, (%0)", : : "r"(p) : "memory");
    DONE("movb %%ah, 1(%0)", : : "D"(p), "a"(0x200) : "memory");
    DONE("mov" W " $0, (%0)", : : "r"(p) : "memory");
    DONE("movl $0, 4(%0)", : : "r"(p) : "memory");
    DONE("movnti %1, (%0)", : : "r"(p), "r"(value) : "memory");
    DONE("mov" W " %1, 8(%0, %2)", : : "r"(p), "r"(value), "r"(-8ul) : "memory");
    DONE("mov" W " %1, 0x10(%0, %2, 2)", : : "r"(p), "r"(value), "r"(-8ul) : "memory");
}

/* The accumulator at an address in the instruction: where the entry lies no assembler knows. */
static void absolute(unsigned long p, unsigned long value)
{
    uint8_t *code = page_alloc(), *at = code;
    if (map(ISLAND, pte_make(mfn_of(code), PTE_READ_ONLY)))
        panic("cannot map code");
    *at++ = 0xa2; /* movb */
    memcpy(at, &p, sizeof(p));
    at[sizeof(p)] = 0xc3;
    show("movabs %al", TRY("call *%1", : : "a"(0x25ul), "r"(ISLAND) : "memory"), NO_FAULT);
    at = code;
    if (sizeof(p) == 8)
        *at++ = 0x48;
    *at++ = 0xa3; /* movl, or movq behind 48 */
    memcpy(at, &p, sizeof(p));
    at[sizeof(p)] = 0xc3;
    show("movabs %" AX, TRY("call *%1", : : "a"(value), "r"(ISLAND) : "memory"), NO_FAULT);
}

static void exchanges(unsigned long p, pte_t entry_value)
{
    unsigned long value = (unsigned long)entry_value, old = value;
    DONE("xchg" W " %0, (%1)", : "+r"(old) : "r"(p) : "memory");
    expect_true("  the old frame came back", pte_frame(old) == mfn_of(one));
    old = (unsigned long)*entry;
    FLAGS("lock cmpxchg" W " %2, (%1)", : "+a"(old) : "r"(p), "r"(value) : "memory", "cc");
    old = (unsigned long)*entry;
    FLAGS("cmpxchgl %k2, (%1)", : "+a"(old) : "r"(p), "r"(value) : "memory", "cc");
    old = 5;
    FLAGS("lock cmpxchg" W " %2, (%1)", : "+a"(old) : "r"(p), "r"(value) : "memory", "cc");
    expect_true("  it found the frame", pte_frame(old) == mfn_of(one));
    uint32_t low = (uint32_t)*entry, high = (uint32_t)(*entry >> 32);
    DONE("lock cmpxchg8b (%2)", : "+a"(low), "+d"(high)
         : "r"(p), "b"((uint32_t)entry_value), "c"((uint32_t)(entry_value >> 32)) : "memory", "cc");
    old = 0x200;
    FLAGS("lock xadd" W " %0, (%1)", : "+r"(old) : "r"(p) : "memory", "cc");
    expect_true("  it found the frame", pte_frame(old) == mfn_of(one));
}

static void arithmetic(unsigned long p)
{
    FLAGS("lock and" W " $-3, (%0)", : : "r"(p) : "memory", "cc");
    FLAGS("andb $0xfd, (%0)", : : "r"(p) : "memory", "cc");
    FLAGS("or" W " $0x200, (%0)", : : "r"(p) : "memory", "cc");
    FLAGS("orw $0x200, (%0)", : : "r"(p) : "memory", "cc");
    FLAGS("xorl %1, (%0)", : : "r"(p), "r"(0x200) : "memory", "cc");
    FLAGS("add" W " %1, (%0)", : : "r"(p), "r"(0x200ul) : "memory", "cc");
    FLAGS("stc; adc" W " %1, (%0)", : : "r"(p), "r"(0x1fful) : "memory", "cc");
    FLAGS("sub" W " %1, (%0)", : : "r"(p), "r"(2ul) : "memory", "cc");
    FLAGS("clc; sbb" W " %1, (%0)", : : "r"(p), "r"(2ul) : "memory", "cc");
    FLAGS("inc" W " (%0)", : : "r"(p) : "memory", "cc");
    FLAGS("dec" W " (%0)", : : "r"(p) : "memory", "cc");
    FLAGS("notb 1(%0)", : : "r"(p) : "memory", "cc");
    FLAGS("negb (%0)", : : "r"(p) : "memory", "cc");
    FLAGS("bts" W " $9, (%0)", : : "r"(p) : "memory", "cc");
    FLAGS("lock btr" W " $1, (%0)", : : "r"(p) : "memory", "cc");
    FLAGS("btcl $1, (%0)", : : "r"(p) : "memory", "cc");
    FLAGS("btr" W " %1, (%0)", : : "r"(p - 64), "r"(513ul) : "memory", "cc");
    FLAGS("btsl %1, (%0)", : : "r"(p + 32), "r"(-247) : "memory", "cc");
}

static void strings(unsigned long p, unsigned long value)
{
    unsigned long to = p, from = (unsigned long)&value, count = 3;
    DONE("stos" W, : "+D"(to) : "a"(value) : "memory");
    expect_value("  rdi moved", to - p, WORD);
    to = p;
    DONE("rep stos" W, : "+D"(to), "+c"(count) : "a"(0ul) : "memory");
    expect_value("  rdi moved", to - p, 3 * WORD);
    expect_value("  rcx", count, 0);
    to = p;
    DONE("movs" W, : "+D"(to), "+S"(from) : : "memory");
    expect_value("  rsi moved", from - (unsigned long)&value, WORD);
    to = p;
    DONE("std; stosl; cld", : "+D"(to) : "a"(0x24) : "memory");
    __asm__ volatile("cld");
    expect_value("  rdi moved", p - to, 4);
}

void test_main(void)
{
    /* Stores of two bytes reach the frame's lowest bits, and flags tell of them: the same on every machine. */
    do
        one = page_alloc();
    while ((mfn_of(one) & 15) != 1);
    two = page_alloc();
    if (map(AREA, pte_make(mfn_of(one), PTE_READ_WRITE)))
        panic("cannot map");
    HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
    entry = entry_of(top_table(), AREA, 1);
    unsigned long p = (unsigned long)entry;
    pte_t value = pte_make(mfn_of(two), PTE_READ_WRITE);
    moves(p, (unsigned long)value);
    absolute(p, (unsigned long)value);
    exchanges(p, value);
    arithmetic(p);
    strings(p, (unsigned long)value);

#ifdef __x86_64__
    REFUSED("movq %1, 4(%0)", : : "r"(p), "r"(0ul) : "memory");
#else
    REFUSED("movl %1, 6(%0)", : : "r"(p), "r"(0ul) : "memory");
#endif
    REFUSED("movl $0, 2(%0)", : : "r"(p) : "memory");
    REFUSED("movw $0, 1(%0)", : : "r"(p) : "memory");
    REFUSED("movw $0, 7(%0)", : : "r"(p) : "memory");
#ifdef __x86_64__
    uint64_t *pair = (uint64_t *)(p & ~15ul), low = pair[0], high = pair[1];
    REFUSED("lock cmpxchg16b (%2)", : "+a"(low), "+d"(high) : "r"(pair), "b"(low), "c"(high) : "memory", "cc");
#else
    uint32_t *pair = (uint32_t *)(p + 4), low = pair[0], high = pair[1];
    REFUSED("lock cmpxchg8b (%2)", : "+a"(low), "+d"(high) : "r"(pair), "b"(low), "c"(high) : "memory", "cc");
#endif
    unsigned long bad = (unsigned long)pte_make(mfn_of(top_table()), PTE_READ_WRITE), found = 5;
    REFUSED("mov" W " %1, (%0)", : : "r"(p), "r"(bad) : "memory");
    REFUSED("xchg" W " %1, (%0)", : : "r"(p), "r"(bad) : "memory");
    DONE("lock cmpxchg" W " %2, (%1)", : "+a"(found) : "r"(p), "r"(bad) : "memory", "cc");
    found = (unsigned long)*entry;
    REFUSED("lock cmpxchg" W " %2, (%1)", : "+a"(found) : "r"(p), "r"(bad) : "memory", "cc");
#ifdef __x86_64__
    REFUSED("negq (%0)", : : "r"(p) : "memory", "cc");
#else
    /* The lower half alone could become memory of a device, which domain 0 may map. */
    REFUSED("notl 4(%0)", : : "r"(p) : "memory", "cc");
#endif
    HYPERVISOR_vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables);
}
