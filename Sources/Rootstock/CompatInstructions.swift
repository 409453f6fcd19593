// Instructions of 32-bit guests that are carried out in their stead: where they are, and what their
// memory operands name, by way of segments.

import CMachine
import HypervisorCore
import X86

extension GuestProcessor {
  /// The instruction that a frame points to; nil for 16-bit code, which nothing is emulated for.
  mutating func compatInstruction(at frame: FramePointer) -> InstructionBytes? {
    guard isWide(UInt16(truncatingIfNeeded: frame.pointee.cs)) else { return nil }
    return InstructionBytes(at: compatCodeAddress(frame), is32Bit: true)
  }

  /// The linear address that a frame points to.
  mutating func compatCodeAddress(_ frame: FramePointer) -> GuestVirtualAddress {
    let selector = UInt16(truncatingIfNeeded: frame.pointee.cs)
    let base = Self.isFlatCode(selector) ? 0 : segmentBase(selector)
    return GuestVirtualAddress(UInt64(base &+ UInt32(truncatingIfNeeded: frame.pointee.rip)))
  }

  private static func isFlatCode(_ selector: UInt16) -> Bool {
    selector == UInt16(XG_COMPAT_KERNEL_CS) || selector == UInt16(XG_COMPAT_USER_CS)
  }

  /// Whether code in a segment is 32-bit code by default.
  private mutating func isWide(_ selector: UInt16) -> Bool {
    if Self.isFlatCode(selector) { return true }
    // Bit D of a segment that the processor runs code in: looking at it does not fault.
    return xg_access_rights(UInt32(selector)) & 1 << 22 != 0
  }

  /// The linear address of an offset in a segment, which a prefix or its absence (DS) names.
  mutating func compatAddress(
    _ prefix: UInt8, _ offset: UInt64, _ frame: FramePointer
  ) -> GuestVirtualAddress {
    let selector: UInt16 =
      switch prefix {
      case 0x26: xg_read_es()
      case 0x2e: UInt16(truncatingIfNeeded: frame.pointee.cs)
      case 0x36: UInt16(truncatingIfNeeded: frame.pointee.ss)
      case 0x64: xg_read_fs()
      case 0x65: xg_read_gs()
      default: xg_read_ds()
      }
    return GuestVirtualAddress(
      UInt64(segmentBase(selector) &+ UInt32(truncatingIfNeeded: offset)))
  }

  /// Where a store goes.
  ///
  /// The caller compares with the address that faulted, so a segment that is taken for another, or whose
  /// limit is not looked at, only leaves the fault to the guest.
  mutating func compatDestination(
    _ store: StoreInstruction, _ instruction: InstructionBytes, _ frame: FramePointer
  ) -> UInt64 {
    switch store.operation {
    case .storeString, .moveString: return compatAddress(0x26, frame.pointee.rdi, frame).value
    default:
      let offset =
        store.operand.address(registers: { frame[register: $0] }, next: 0)
        &+ store.bitOffset(registers: { frame[register: $0] })
      return compatAddress(store.operand.segment(instruction), offset, frame).value
    }
  }
}

extension xg_frame {
  /// Keeps what 32-bit code has of the registers of string instructions.
  mutating func narrowStringRegisters() {
    rsi &= 0xffff_ffff
    rdi &= 0xffff_ffff
    rcx &= 0xffff_ffff
  }
}
