// Selectors and bases of a vcpu's data segments. A selector that the guest's tables no longer hold
// becomes the null selector, and the guest's kernel is told at its failsafe callback.

import CMachine
import CXenABI
import HypervisorCore

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
    // 32-bit code has no bases but those of its descriptors.
    if is32Bit { return }
    fsBase = xg_rdmsr(MSR.fsBase)
    let active = xg_rdmsr(MSR.gsBase)
    let other = xg_rdmsr(MSR.kernelGSBase)
    gsBaseKernel = isKernelMode ? active : other
    gsBaseUser = isKernelMode ? other : active
  }

  /// Puts them back: selectors first, because loading one changes its base.
  ///
  /// Answers whether all could be loaded.
  mutating func loadSegments() -> Bool {
    var refused: UInt32 = 0
    if segments.ds | xg_read_ds() != 0 { refused |= xg_load_ds(UInt32(segments.ds)) }
    if segments.es | xg_read_es() != 0 { refused |= xg_load_es(UInt32(segments.es)) }
    if segments.fs | xg_read_fs() != 0 { refused |= xg_load_fs(UInt32(segments.fs)) }
    if segments.gs | xg_read_gs() != 0 { refused |= xg_load_kernel_gs(UInt32(segments.gs)) }
    if is32Bit { return refused == 0 }
    xg_wrmsr(MSR.fsBase, fsBase)
    xg_wrmsr(MSR.gsBase, isKernelMode ? gsBaseKernel : gsBaseUser)
    xg_wrmsr(MSR.kernelGSBase, isKernelMode ? gsBaseUser : gsBaseKernel)
    return refused == 0
  }

  /// Enters the kernel at its failsafe callback: a selector of what it returns to is lost.
  ///
  /// The frame, from the stack pointer upwards: rcx, r11, ds, es, fs, gs, rip, cs, rflags, rsp, ss. A
  /// guest could take its descriptors away again and again with a stack that cannot be written; as
  /// with a trap, that ends the domain.
  mutating func enterFailsafe(_ frame: FramePointer) {
    if is32Bit { return enterCompatFailsafe(frame) }
    var selector = frame.pointee.cs & 0xfffc
    var top = frame.pointee.rsp & ~15
    if !isKernelMode {
      selector = frame.pointee.cs & 0xffff
      enterMode(isKernel: true, core.pointee.kernelTable)
      if isRunstateStale { Work.request(Work.runstate) }
      top = kernelStack & ~15
    }
    let mask = UInt64(upcallMask)
    var flags = frame.pointee.rflags & ~(Flags.interrupt | Flags.privilegeLevel)
    if mask == 0 { flags |= Flags.interrupt }
    if hasArchitecturalIOPL { flags |= UInt64(portAccess.level) << 12 }
    let words: InlineArray<11, UInt64> = [
      frame.pointee.rcx, frame.pointee.r11, UInt64(segments.ds), UInt64(segments.es),
      UInt64(segments.fs), UInt64(segments.gs), frame.pointee.rip, selector | mask << 32, flags,
      frame.pointee.rsp, frame.pointee.ss,
    ]
    let bottom = GuestVirtualAddress(top &- UInt64(MemoryLayout<InlineArray<11, UInt64>>.size))
    guard GuestMemory.store(words, to: bottom) else {
      crash("a failsafe callback's frame cannot be written to the kernel's stack", frame)
    }
    if failsafeEntry.masksEvents { upcallMask = 1 }
    frame.pointee.rip = failsafeEntry.address
    frame.pointee.cs = UInt64(FLAT_KERNEL_CS)
    frame.pointee.ss = UInt64(XG_GUEST_SS)
    frame.pointee.rsp = bottom.value
    frame.pointee.rflags &= ~Flags.clearedOnEntry
  }
}
