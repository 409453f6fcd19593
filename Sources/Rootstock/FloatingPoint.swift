// Floating-point and vector registers: saved and loaded eagerly at each switch of vcpus, because
// lazy switching leaks register contents through speculation.

import CMachine
import HypervisorCore
import XenABI

/// The extended state of vcpus.
enum FloatingPoint {
  private static let taskSwitched: UInt64 = 8

  /// Makes `area` the state of a processor after reset: Intel SDM volume 1, 10.5.1.1.
  static func makeClean(_ area: UnsafeMutableRawPointer) {
    area.initializeMemory(as: UInt8.self, repeating: 0, count: 4096)
    area.storeBytes(of: 0x37f, as: UInt16.self)
    area.storeBytes(of: 0x1f80, toByteOffset: 24, as: UInt32.self)
  }

  /// Loads a vcpu's state and its CR0.TS.
  static func restore(_ area: UnsafeMutableRawPointer, isTaskSwitched: Bool) {
    xg_clts()
    xg_fxrstor(area)
    setTaskSwitched(isTaskSwitched)
  }

  /// Saves the state of the vcpu that ran.
  static func save(_ area: UnsafeMutableRawPointer) {
    xg_clts()
    xg_fxsave(area)
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
    let control = area.load(fromByteOffset: 24, as: UInt32.self)
    area.storeBytes(of: control & 0xffbf, toByteOffset: 24, as: UInt32.self)
  }
}
