/* Bad pointers by table. Pages are mapped at the borders, so that only half of an argument is bad.
 */
#include "attack.h"

#include "console.h"
#include "report.h"
#include "system.h"

#ifdef __x86_64__
#define LOW_END 0x0000800000000000ul
#endif


static unsigned int attempts, granted;
static uint64_t first_granted;
static long first_result;

void refused(const char *what, long result)
{
    if (result < 0)
        print("%s: refused\n", what);
    else
        failure("%s: %E, expected an error", what, result);
}

void refusals_begin(void) { attempts = granted = 0; }

bool refusal(long result, uint64_t which)
{
    attempts++;
    if (result < 0)
        return true;
    if (granted++ == 0) {
        first_granted = which;
        first_result = result;
    }
    return false;
}

void refusals_end(const char *what)
{
    if (granted == 0 && attempts)
        print("%s: all refused\n", what);
    else
        failure("%s: %u of %u granted, the first for 0x%lx with %E", what, granted, attempts,
                first_granted, first_result);
}

void faulted(const char *what, fault_t fault)
{
    if (fault != NO_FAULT)
        print("%s: faults\n", what);
    else
        failure("%s: no fault", what);
}

static void try_pointer(const char *what, const char *where, pointer_call *call, uintptr_t address,
                        long expected)
{
    long result = call((void *)address);
    if (result != expected)
        failure("%s, %s: %E, expected %E", what, where, result, expected);
}

static void prepare(void)
{
    static bool done;
    if (done)
        return;
    done = true;
#ifdef __i386__
    if (map(ISLAND, pte_make(mfn_of(page_alloc()), PTE_READ_WRITE)))
        panic("the page at the borders cannot be mapped");
#else
    if (map(ISLAND, pte_make(mfn_of(page_alloc()), PTE_READ_WRITE)) ||
        map(LOW_END - PAGE_SIZE, pte_make(mfn_of(page_alloc()), PTE_READ_WRITE)) ||
        map(HYPERVISOR_VIRT_END, pte_make(mfn_of(page_alloc()), PTE_READ_WRITE)) ||
        map(-PAGE_SIZE, pte_make(mfn_of(page_alloc()), PTE_READ_WRITE)))
        panic("pages at the borders cannot be mapped");
#endif
}

void expect_pointers(const char *what, pointer_call *call, size_t size, long expected)
{
    prepare();
    const uintptr_t hypervisor = hypervisor_start();
    const struct {
        const char *name;
        uintptr_t address;
    } rows[] = {
        {"unmapped", UNMAPPED_ADDRESS},
        {"straddling into an unmapped page", ISLAND + PAGE_SIZE - size / 2},
        {"straddling out of an unmapped page", ISLAND - size / 2},
        {"first byte of the hypervisor", hypervisor},
        {"inside the hypervisor", HYPERVISOR_ADDRESS},
        {"straddling into the hypervisor's start", hypervisor - size / 2},
        {"straddling the end of the address space", -(uintptr_t)(size / 2)},
        {"the last byte of all", ~0ul},
#ifdef __x86_64__
        {"last bytes of the hypervisor", HYPERVISOR_VIRT_END - size},
        {"straddling out of the hypervisor", HYPERVISOR_VIRT_END - size / 2},
        {"the hypervisor's image", HYPERVISOR_IMAGE},
        {"not canonical", NON_CANONICAL_ADDRESS},
        {"not canonical, far", 0xdeadbeef00000000},
        {"straddling into what is not canonical", LOW_END - size / 2},
#endif
    };
    for (unsigned int i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        try_pointer(what, rows[i].name, call, rows[i].address, expected);
    print("%s: bad pointers answer %E\n", what, expected);
}

void expect_output_pointers(const char *what, pointer_call *call, size_t size, long expected)
{
    static uint8_t *read_only;
    if (!read_only) {
        read_only = page_alloc();
        page_read_only(read_only);
    }
    pte_t *top = top_table(), before = top[TOP_SPARE];
    try_pointer(what, "a read-only page", call, (uintptr_t)read_only, expected);
    try_pointer(what, "a page table", call, (uintptr_t)&top[TOP_SPARE], expected);
    if (top[TOP_SPARE] != before)
        failure("%s: the page table was written", what);
    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        if (read_only[i])
            panic("%s: a read-only page was written", what);
    expect_pointers(what, call, size, expected);
}

uint64_t random_next(void)
{
    static uint64_t state = 0x9e3779b97f4a7c15;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}
