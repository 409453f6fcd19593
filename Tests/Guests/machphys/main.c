/*
 * test: machphys
 * The M2P table tells each frame's pseudo-physical number. The guest changes it for its own frames
 * by MMU_MACHPHYS_UPDATE and for no others, reads it and cannot write it.
 */
#include "guest.h"

void test_main(void)
{
    void *page = page_alloc();
    mfn_t mfn = mfn_of(page);
    expect_true("M2P and P2M agree", pfn_of_mfn(mfn) == pfn_of(page));
    expect_result("set the entry", mmu_update_one(mfn << 12 | MMU_MACHPHYS_UPDATE, 0x4321), 0);
    expect_value("entry", pfn_of_mfn(mfn), 0x4321);
    expect_result("set it back", mmu_update_one(mfn << 12 | MMU_MACHPHYS_UPDATE, pfn_of(page)), 0);
    expect_true("M2P and P2M agree", pfn_of_mfn(mfn) == pfn_of(page));
    expect_result("entry of a frame beyond memory",
                  mmu_update_one(0x000fffffff000000ull | MMU_MACHPHYS_UPDATE, 1), -XEN_EINVAL);
    expect_result("entry of the hypervisor's frame",
                  mmu_update_one(0x100000 | MMU_MACHPHYS_UPDATE, 1), -XEN_EINVAL);

    struct xen_machphys_mapping mapping;
    expect_result("machphys_mapping", HYPERVISOR_memory_op(XENMEM_machphys_mapping, &mapping), 0);
    expect_value("start", mapping.v_start, PAGING_LEVELS == 4 ? MACH2PHYS_VIRT_START : hypervisor_start());
    expect_true("end is behind the start", mapping.v_end > mapping.v_start);
    expect_true("the end fits the hole", mapping.v_end - 1 <= (PAGING_LEVELS == 4 ? MACH2PHYS_VIRT_END - 1 : ~0ul));
    expect_true("the own frame is within", mfn <= mapping.max_mfn);
    expect_fault("write to the table", try_write((unsigned long *)mapping.v_start + mfn, 1),
                 FAULT(VECTOR_PF, PF_PRESENT | PF_WRITE));
    expect_true("nothing was written", pfn_of_mfn(mfn) == pfn_of(page));
}
