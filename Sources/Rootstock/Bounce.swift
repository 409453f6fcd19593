// Entering a guest's kernel: the frame of abi/traps.yaml, exception-frame, is written onto its
// stack, and the registers are changed so that the way back leads to its handler.

import CMachine
import CXenABI
import HypervisorCore

/// Bits of rflags.
enum Flags {
  static let trap: UInt64 = 1 << 8
  static let interrupt: UInt64 = 1 << 9
  static let privilegeLevel: UInt64 = 3 << 12
  static let nestedTask: UInt64 = 1 << 14
  static let resume: UInt64 = 1 << 16
  static let virtual8086: UInt64 = 1 << 17
  static let alignmentCheck: UInt64 = 1 << 18
  static let always: UInt64 = 2
  /// What a handler never begins with.
  static let clearedOnEntry = trap | nestedTask | resume | virtual8086 | alignmentCheck
}

extension GuestProcessor {
  /// Makes the guest go on in its kernel at `entry`, with the frame on its kernel stack.
  ///
  /// A guest could give no handler, or a stack inside the hypervisor or not mapped; either ends
  /// the domain, as there is no way to tell it anything.
  @inline(never)
  mutating func enterKernel(
    at entry: EntryPoint, _ frame: FramePointer, errorCode: UInt32? = nil
  ) {
    enter(at: entry, frame, errorCode: errorCode)
  }

  /// The same, for the ways that guests take most often.
  @inline(__always)
  mutating func enter(at entry: EntryPoint, _ frame: FramePointer, errorCode: UInt32? = nil) {
    guard entry.address != 0 else { Self.refuseEntry(frame) }
    if is32Bit { return enterCompat(at: entry, frame, errorCode: errorCode) }
    var top = frame.pointee.rsp & ~15
    // Kernel mode shows as ring 0 although it is ring 3.
    var selector = frame.pointee.cs & 0xfffc
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
    let size: UInt64 = errorCode == nil ? 7 * 8 : 8 * 8
    let bottom = GuestVirtualAddress(top &- size)
    guard bottom.isGuestRange(byteCount: size) else { Self.refuseStack(frame) }
    // SAFETY: what is written lies outside the hole, and either function survives its absence; CR0.WP
    // makes a page that the guest may not write fault here too.
    let failed =
      if let errorCode {
        xg_push_frame_with_code(
          top, frame, entry.address, selector | mask << 32, flags, UInt64(errorCode))
      } else {
        xg_push_frame(top, frame, entry.address, selector | mask << 32, flags, 0)
      }
    guard failed == 0 else { Self.refuseStack(frame) }
    if entry.masksEvents { upcallMask = 1 }
  }

  @inline(never)
  private static func refuseEntry(_ frame: FramePointer) -> Never {
    current.pointee.crash("a trap for which the guest has no handler", frame)
  }

  @inline(never)
  static func refuseStack(_ frame: FramePointer) -> Never {
    current.pointee.crash("a trap's frame cannot be written to the kernel's stack", frame)
  }

  /// Delivers an exception to the guest's trap table.
  mutating func deliver(_ vector: UInt32, _ frame: FramePointer, errorCode: UInt32?) {
    enterKernel(at: traps[Int(vector & 255)], frame, errorCode: errorCode)
  }

  /// Delivers a waiting event, if the guest has not masked it; answers whether there was one.
  ///
  /// Called on every way out to a guest.
  @inline(__always)
  mutating func deliverEvents(_ frame: FramePointer) -> Bool {
    if !isUpcallPending || upcallMask != 0 { return false }
    if OrderWatch.isOn { findShared(frame) }
    var entry = eventEntry
    entry.flags |= 4
    enter(at: entry, frame)
    return true
  }
}
