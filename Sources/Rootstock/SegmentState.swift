// Selectors and bases of a vcpu's data segments. A selector that the guest's tables no longer hold
// becomes the null selector.

import CMachine

/// The selectors of data segments.
struct SegmentSelectors: BitwiseCopyable {
  var ds: UInt16 = 0
  var es: UInt16 = 0
  var fs: UInt16 = 0
  var gs: UInt16 = 0
}

extension GuestProcessor {
  /// Takes selectors and bases out of the processor.
  ///
  /// User mode may have changed a base by wrfsbase, or by loading a selector, so the registers count
  /// and not what was kept of them.
  mutating func saveSegments() {
    segments = SegmentSelectors(
      ds: xg_read_ds(), es: xg_read_es(), fs: xg_read_fs(), gs: xg_read_gs())
    fsBase = xg_rdmsr(MSR.fsBase)
    let active = xg_rdmsr(MSR.gsBase)
    let other = xg_rdmsr(MSR.kernelGSBase)
    gsBaseKernel = isKernelMode ? active : other
    gsBaseUser = isKernelMode ? other : active
  }

  /// Puts them back: selectors first, because loading one changes its base.
  func loadSegments() {
    if segments.ds | xg_read_ds() != 0 { xg_load_ds(UInt32(segments.ds)) }
    if segments.es | xg_read_es() != 0 { xg_load_es(UInt32(segments.es)) }
    if segments.fs | xg_read_fs() != 0 { xg_load_fs(UInt32(segments.fs)) }
    if segments.gs | xg_read_gs() != 0 { xg_load_kernel_gs(UInt32(segments.gs)) }
    xg_wrmsr(MSR.fsBase, fsBase)
    xg_wrmsr(MSR.gsBase, isKernelMode ? gsBaseKernel : gsBaseUser)
    xg_wrmsr(MSR.kernelGSBase, isKernelMode ? gsBaseUser : gsBaseKernel)
  }
}
