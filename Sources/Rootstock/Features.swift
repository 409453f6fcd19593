// Processor features that the hypervisor uses or offers to guests, switched on for each CPU.

import CMachine

/// Control-register bits: Intel SDM volume 3, 2.5.
enum Features {
  private static let osfxsr: UInt64 = 1 << 9
  private static let osxmmexcpt: UInt64 = 1 << 10
  private static let fsgsbase: UInt64 = 1 << 16
  private static let osxsave: UInt64 = 1 << 18
  private static let smep: UInt64 = 1 << 20

  /// DE, TSD and FSGSBASE, which are as the guest that runs has them.
  private static let switched: UInt64 = 1 << 3 | 1 << 2 | fsgsbase
  /// OSXSAVE, which a guest must set before its own use; the processor has it all the time.
  static let extendedState = osxsave
  // SAFETY: written by `enable` on the boot CPU before others run, and then only with the same value.
  /// The bits that a guest may change.
  nonisolated(unsafe) private(set) static var guestControls: UInt64 = 1 << 3 | 1 << 2

  // SAFETY: as above.
  /// SMEP, where the processor has it.
  nonisolated(unsafe) private static var ownControls: UInt64 = 0

  /// Gives the processor the bits that a guest has chosen.
  ///
  /// A 32-bit guest's kernel is a supervisor to the processor, and may run what its user mode may.
  static func setGuestControls(_ bits: UInt64, isCompat: Bool = false) {
    let now = xg_read_cr4()
    let wanted =
      now & ~(switched | smep) | bits & guestControls & switched | (isCompat ? 0 : ownControls)
    if wanted != now { xg_write_cr4(wanted) }
  }

  /// CR4 as a guest sees it: PAE, MCE, OSFXSR and OSXMMEXCPT as the processor has them, and its own.
  static func guestCR4(_ controls: UInt64) -> UInt64 {
    xg_read_cr4() & (1 << 5 | 1 << 6 | osfxsr | osxmmexcpt) | controls
  }

  /// Bits of a machine address: CPUID 0x80000008.
  static var addressWidth: UInt64 {
    guard xg_cpuid_of(0x8000_0000, 0).eax >= 0x8000_0008 else { return 36 }
    return min(52, max(36, UInt64(xg_cpuid_of(0x8000_0008, 0).eax & 0xff)))
  }

  /// Switches on what the processor has.
  ///
  /// SMEP keeps the hypervisor from ever executing a guest's page. SMAP stays off, because guests'
  /// memory is read through their own addresses.
  static func enable() {
    var cr4 = xg_read_cr4() | osfxsr | osxmmexcpt
    let basic = xg_cpuid_of(1, 0)
    let hasXSave = basic.ecx & 1 << 26 != 0
    if hasXSave { cr4 |= osxsave }
    if xg_cpuid_of(0, 0).eax >= 7 {
      let extended = xg_cpuid_of(7, 0)
      if extended.ebx & 1 != 0 { guestControls |= fsgsbase }
      if extended.ebx & 1 << 7 != 0 {
        cr4 |= smep
        ownControls = smep
      }
    }
    xg_write_cr4(cr4)
    // The ABI's page attributes: write-back, write-through, uncached-minus, uncached as after reset;
    // with the entry's PAT bit write-combining, write-protected, uncached, uncached.
    xg_wrmsr(MSR.pageAttributes, 0x0000_0501_0007_0406)
    FloatingPoint.enable(hasXSave: hasXSave)
    if FloatingPoint.components != 0 { guestControls |= osxsave }
  }
}
