// Floating-point and vector registers: saved and loaded eagerly at each switch of vcpus, because
// lazy switching leaks register contents through speculation.

import CMachine
import HypervisorCore
import XenABI

/// The extended state of vcpus, in a page of each: Intel SDM volume 1, 10.5 and 13.4.
enum FloatingPoint {
  private static let taskSwitched: UInt64 = 8
  /// XCR0 of a new vcpu: x87 and SSE.
  static let initialComponents: UInt64 = 3
  /// What of the processor's state is offered: x87, SSE and AVX, 832 bytes.
  private static let known: UInt64 = 7

  // SAFETY: written by `enable` on the boot CPU before others run, and then only with the same value.
  /// Components of XSAVE that are switched; 0 where the processor has FXSAVE alone.
  nonisolated(unsafe) private(set) static var components: UInt64 = 0

  /// Finds out what there is to switch, with CR4.OSXSAVE set if the processor has it.
  static func enable(hasXSave: Bool) {
    guard hasXSave else { return }
    let found = UInt64(xg_cpuid_of(0xd, 0).eax) & known
    components = found & initialComponents == initialComponents ? found : 0
    if components != 0 { xg_xsetbv(0, components) }
  }

  /// Makes `area` the state of a processor after reset: Intel SDM volume 1, 10.5.1.1.
  ///
  /// For XSAVE the header of zeros means that every component is as after reset.
  static func makeClean(_ area: UnsafeMutableRawPointer) {
    area.initializeMemory(as: UInt8.self, repeating: 0, count: 4096)
    area.storeBytes(of: 0x37f, as: UInt16.self)
    area.storeBytes(of: 0x1f80, toByteOffset: 24, as: UInt32.self)
  }

  /// Loads a vcpu's state, its XCR0 and its CR0.TS.
  ///
  /// Every component is loaded, so that nothing of the vcpu before is left, whatever either of them
  /// has switched on.
  static func restore(
    _ area: UnsafeMutableRawPointer, components wanted: UInt64, isTaskSwitched: Bool
  ) {
    xg_clts()
    if components == 0 {
      xg_fxrstor(area)
    } else {
      select(components)
      xg_xrstor(area, components)
      select(wanted)
    }
    setTaskSwitched(isTaskSwitched)
  }

  /// Saves the state of the vcpu that ran, what it has switched off again included.
  static func save(_ area: UnsafeMutableRawPointer) {
    xg_clts()
    if components == 0 {
      xg_fxsave(area)
    } else {
      select(components)
      xg_xsave(area, components)
    }
  }

  /// Sets XCR0.
  static func select(_ wanted: UInt64) {
    if xg_xgetbv(0) != wanted { xg_xsetbv(0, wanted) }
  }

  /// Whether a guest may have a value in XCR0: nothing that is not switched, x87 always, and AVX, whose
  /// registers contain those of SSE, with SSE.
  static func isValid(_ value: UInt64) -> Bool {
    value & ~components == 0 && value & 1 != 0 && (value & 4 == 0 || value & 2 != 0)
  }

  /// Sets CR0.TS as the guest wants it.
  static func setTaskSwitched(_ isSet: Bool) {
    if isSet {
      xg_write_cr0(xg_read_cr0() | taskSwitched)
    } else {
      xg_clts()
    }
  }
}

extension FloatingPoint {
  /// Takes a guest's own first state, in FXSAVE's form, as far as it can be read.
  ///
  /// A guest could give control bits on whose load the processor faults in ring 0: they are cleared.
  static func read(_ area: UnsafeMutableRawPointer, from context: GuestVirtualAddress) {
    let offset = UInt64(Xen.Offset.vcpu_guest_context.fpu_ctxt)
    let size = 512
    guard let place = context.advanced(by: offset), GuestMemory.read(area, from: place, count: size)
    else {
      makeClean(area)
      return
    }
    // The legacy part counts, and every other component is as after reset.
    area.storeBytes(of: initialComponents, toByteOffset: 512, as: UInt64.self)
    makeLoadable(area)
  }

  /// Takes out of a foreign state everything on whose load the processor faults: bits of MXCSR that there
  /// are not, components that are not switched, a compacted form.
  static func makeLoadable(_ area: UnsafeMutableRawPointer) {
    let control = area.load(fromByteOffset: 24, as: UInt32.self)
    area.storeBytes(of: control & 0xffbf, toByteOffset: 24, as: UInt32.self)
    let present = area.load(fromByteOffset: 512, as: UInt64.self)
    area.storeBytes(of: present & components, toByteOffset: 512, as: UInt64.self)
    (area + 520).initializeMemory(as: UInt8.self, repeating: 0, count: 56)
  }
}

extension GuestProcessor {
  /// `xsetbv`, which needs the guest's own CR4.OSXSAVE.
  mutating func setExtendedControl(_ frame: xg_frame) -> Emulation {
    guard controls & Features.extendedState != 0 else { return .fault(Vector.invalidOpcode) }
    let value = frame.rax & 0xffff_ffff | frame.rdx << 32
    guard UInt32(truncatingIfNeeded: frame.rcx) == 0, FloatingPoint.isValid(value) else {
      return .refused
    }
    extendedComponents = value
    FloatingPoint.select(value)
    return .done
  }
}
