// What guests are told about the processor: the hardware's answer without what a paravirtualized
// kernel cannot have, and the leaves of the Xen interface (abi/cpuid.yaml).

import CMachine

/// Answers to the emulated `cpuid`.
enum CPUIDPolicy {
  private static let base: UInt32 = 0x4000_0000

  static func answer(leaf: UInt32, subleaf: UInt32) -> xg_cpuid {
    if leaf >= base && leaf < base + 0x100 { return interface(leaf - base) }
    var answer = xg_cpuid_of(leaf, subleaf)
    switch leaf {
    case 1:
      // No VME, PSE, DE's cousins: MTRR, PGE, MCE and MCA stay; PSE36, VMX, SMX, PCID, x2APIC go.
      answer.edx &= ~(1 << 1 | 1 << 3 | 1 << 17)
      answer.ecx &= ~(1 << 3 | 1 << 5 | 1 << 6 | 1 << 17 | 1 << 21)
      answer.ecx |= 1 << 31
    case 7 where subleaf == 0:
      // SMEP, INVPCID and SMAP are the hypervisor's.
      answer.ebx &= ~(1 << 7 | 1 << 10 | 1 << 20)
    case 0x8000_0001:
      // SVM, and 1 GiB pages.
      answer.ecx &= ~(1 << 2)
      answer.edx &= ~(1 << 26)
    default:
      break
    }
    return answer
  }

  /// "XenVMMXenVMM", the version, and the number of MSRs and pages for hypercalls.
  private static func interface(_ leaf: UInt32) -> xg_cpuid {
    switch leaf {
    case 0:
      xg_cpuid(eax: base + 2, ebx: 0x566e_6558, ecx: 0x6558_4d4d, edx: 0x4d4d_566e)
    case 1: xg_cpuid(eax: VersionHypercall.version, ebx: 0, ecx: 0, edx: 0)
    case 2: xg_cpuid(eax: 1, ebx: base, ecx: 0, edx: 0)
    default: xg_cpuid(eax: 0, ebx: 0, ecx: 0, edx: 0)
    }
  }
}
