// What guests are told about the processor: of the hardware's answer what a paravirtualized kernel
// can have, and the leaves of the Xen interface (abi/cpuid.yaml). Features are a list of what is
// offered, so that one that a later processor has is not promised by accident.

import CMachine

/// Answers to the emulated `cpuid`.
enum CPUIDPolicy {
  private static let base: UInt32 = 0x4000_0000

  /// Leaf 1, edx: FPU, DE, TSC, MSR, PAE, MCE, CX8, APIC, MTRR, MCA, CMOV, PAT, CLFSH, ACPI, MMX, FXSR,
  /// SSE, SSE2, SS, HTT.
  private static let basicD: UInt32 = 0x1fc9_d3f5
  /// SYSENTER and SYSEXIT, which AMD's processors do not have in 64-bit mode.
  private static let sysenter: UInt32 = 1 << 11
  /// Leaf 1, ecx: SSE3, PCLMULQDQ, SSSE3, CX16, SSE4.1, SSE4.2, MOVBE, POPCNT, AES, RDRAND.
  private static let basicC: UInt32 = 0x42d8_2203
  /// XSAVE and OSXSAVE; and FMA, AVX and F16C.
  private static let basicXSave: UInt32 = 0x0c00_0000
  private static let basicAVX: UInt32 = 0x3000_1000
  private static let hypervisorPresent: UInt32 = 1 << 31
  /// Leaf 7, ebx: FSGSBASE, BMI1, BMI2, ERMS, RDSEED, ADX, CLFLUSHOPT, CLWB, SHA.
  private static let extendedB: UInt32 = 0x218c_0309
  /// AVX2; and in ecx VAES and VPCLMULQDQ.
  private static let extendedAVXB: UInt32 = 1 << 5
  private static let extendedAVXC: UInt32 = 0x600
  /// Leaf 7, ecx: GFNI, RDPID; edx: FSRM.
  private static let extendedC: UInt32 = 0x40_0100
  private static let extendedD: UInt32 = 1 << 4
  /// Leaf 0x80000001, ecx: LAHF, ABM, SSE4A, misaligned SSE, 3DNow prefetch.
  private static let amdC: UInt32 = 0x1e1
  /// Leaf 0x80000001, edx, without 1 GiB pages.
  private static let amdD: UInt32 = 0xe9d1_dbf5

  private static var hasAVX: Bool { FloatingPoint.components & 4 != 0 }

  static func answer(leaf: UInt32, subleaf: UInt32) -> xg_cpuid {
    if leaf >= base && leaf < base + 0x100 { return interface(leaf - base) }
    let found = xg_cpuid_of(leaf, subleaf)
    switch leaf {
    case 0:
      var answer = found
      answer.eax = min(found.eax, 0xd)
      return answer
    case 1:
      // "Genu", of GenuineIntel.
      let isIntel = xg_cpuid_of(0, 0).ebx == 0x756e_6547
      var c = basicC
      if FloatingPoint.components != 0 { c |= basicXSave }
      if hasAVX { c |= basicAVX }
      return xg_cpuid(
        eax: found.eax, ebx: found.ebx, ecx: found.ecx & c | hypervisorPresent,
        edx: found.edx & (basicD | (isIntel ? sysenter : 0)))
    case 2, 4, 0x8000_0000, 0x8000_0002...0x8000_0006: return found
    case 7 where subleaf == 0:
      return xg_cpuid(
        eax: 0, ebx: found.ebx & (extendedB | (hasAVX ? extendedAVXB : 0)),
        ecx: found.ecx & (extendedC | (hasAVX ? extendedAVXC : 0)), edx: found.edx & extendedD)
    case 0xd where FloatingPoint.components != 0: return extendedState(subleaf, found)
    case 0x8000_0001:
      return xg_cpuid(
        eax: found.eax, ebx: found.ebx, ecx: found.ecx & amdC, edx: found.edx & amdD)
    case 0x8000_0007: return xg_cpuid(eax: 0, ebx: 0, ecx: 0, edx: found.edx & 1 << 8)
    case 0x8000_0008: return xg_cpuid(eax: found.eax & 0xffff, ebx: 0, ecx: 0, edx: 0)
    default: return xg_cpuid(eax: 0, ebx: 0, ecx: 0, edx: 0)
    }
  }

  /// Leaf 0xd: components that are switched, and the area's size for those in XCR0 and for all.
  private static func extendedState(_ subleaf: UInt32, _ found: xg_cpuid) -> xg_cpuid {
    switch subleaf {
    case 0:
      xg_cpuid(
        eax: UInt32(FloatingPoint.components), ebx: found.ebx, ecx: hasAVX ? 0x340 : 0x240,
        edx: 0)
    // XSAVEOPT, XSAVEC, and XGETBV of 1.
    case 1: xg_cpuid(eax: found.eax & 7, ebx: 0, ecx: 0, edx: 0)
    case 2 where hasAVX: xg_cpuid(eax: found.eax, ebx: found.ebx, ecx: 0, edx: 0)
    default: xg_cpuid(eax: 0, ebx: 0, ecx: 0, edx: 0)
    }
  }

  /// "XenVMMXenVMM", the version, the number of MSRs and pages for hypercalls with the features of
  /// mmu_update, and the width of machine addresses.
  private static func interface(_ leaf: UInt32) -> xg_cpuid {
    switch leaf {
    case 0:
      xg_cpuid(eax: base + 5, ebx: 0x566e_6558, ecx: 0x6558_4d4d, edx: 0x4d4d_566e)
    case 1: xg_cpuid(eax: VersionHypercall.version, ebx: 0, ecx: 0, edx: 0)
    case 2: xg_cpuid(eax: 1, ebx: base, ecx: 1, edx: 0)
    case 5:
      xg_cpuid(
        eax: 0, ebx: UInt32(64 - (Host.boot.endOfMemory - 1).leadingZeroBitCount), ecx: 0, edx: 0)
    default: xg_cpuid(eax: 0, ebx: 0, ecx: 0, edx: 0)
    }
  }
}
