// Segment descriptors as values. The manual is Intel's SDM volume 3, 3.4.5 and 5.8.3.

/// Eight bytes of a GDT or LDT.
public struct SegmentDescriptor: Hashable, Sendable {
  /// The bytes, little-endian.
  public var rawValue: UInt64

  /// Wraps the bytes.
  @inlinable public init(rawValue: UInt64) { self.rawValue = rawValue }

  /// Whether the segment is present (P).
  @inlinable public var isPresent: Bool { rawValue >> 47 & 1 != 0 }
  /// Whether it is a code or data segment (S).
  @inlinable public var isCodeOrData: Bool { rawValue >> 44 & 1 != 0 }
  /// The type field.
  @inlinable public var type: UInt64 { rawValue >> 40 & 0xf }

  /// The privilege level (DPL).
  @inlinable public var privilegeLevel: UInt64 {
    get { rawValue >> 45 & 3 }
    set { rawValue = rawValue & ~(3 << 45) | (newValue & 3) << 45 }
  }

  /// The descriptor as a 64-bit guest may have it, or nil for one that it must not have.
  ///
  /// One that is not present faults whenever it is used. Code and data are raised to ring 3, where
  /// guests run, so no descriptor reaches ring 0; bases and limits do not matter in 64-bit mode, and
  /// pages protect the hypervisor from 32-bit segments. Of system descriptors TSS, LDT, interrupt,
  /// trap and task gates are refused: each leads out of the guest's privilege. The empty type, of
  /// which the upper half of a 16-byte descriptor is made, faults as well.
  @inlinable public var checkedForGuest: Self? {
    guard isPresent else { return self }
    if isCodeOrData {
      var checked = self
      checked.privilegeLevel = 3
      return checked
    }
    switch type {
    case 0: return self
    case 0xc: return checkedCallGate
    default: return nil
    }
  }

  /// A call gate as the ABI has it: kept for the guest to read, and out of reach.
  ///
  /// Privilege level 0 makes the processor refuse it to ring 3, whatever stands in the gate. Its
  /// selector gets ring 3 and must not name the hypervisor's own segments (0xe000 on in the GDT), of
  /// which only the flat 64-bit code of guests may stand there. Parameters do not exist in 64-bit mode.
  @inlinable var checkedCallGate: Self? {
    let selector = rawValue >> 16 & 0xffff
    let isReserved = selector & 4 == 0 && selector >= 0xe000
    guard rawValue >> 32 & 0xff == 0, !isReserved || selector == 0xe033 else { return nil }
    var checked = self
    checked.privilegeLevel = 0
    checked.rawValue |= 3 << 16
    return checked
  }
}
