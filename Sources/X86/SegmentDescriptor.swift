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

  /// The descriptor as a 32-bit guest may have it, whose addresses end before `end`, or nil.
  ///
  /// Its kernel is ring 1, so nothing is of ring 0. 64-bit code is refused above all: ring 1 is a
  /// supervisor to page tables, and only that it has 32 bits of address keeps it from the hypervisor. A
  /// segment that would reach past `end` is cut; one that wraps round at 4 GiB, as segments of
  /// thread-local storage do, reaches what is below only by way of what page tables forbid.
  @inlinable public func checkedForCompatGuest(end: UInt64) -> Self? {
    guard isPresent else { return self }
    var checked = self
    if isCodeOrData {
      guard type & 8 == 0 || rawValue >> 53 & 1 == 0 else { return nil }
      if privilegeLevel == 0 { checked.privilegeLevel = 1 }
      return checked.cut(at: end)
    }
    switch type {
    case 0: return self
    case 0xc:
      // Of the hypervisor's own segments only the flat code of guests. As the ABI has it, its level goes
      // into the selector's RPL, which a gate has no use for, and level 0 makes every use of it a fault
      // that names it: CallGate.swift. One of level 0 is such a one already.
      let selector = rawValue >> 16 & 0xffff
      let isReserved = selector & 4 == 0 && selector >= 0xe000
      let isFlat = selector & ~3 == 0xe018 || selector & ~3 == 0xe028
      guard rawValue >> 37 & 7 == 0, !isReserved || isFlat else { return nil }
      if privilegeLevel != 0 {
        checked.rawValue = rawValue & ~(3 << 16) | privilegeLevel << 16
        checked.privilegeLevel = 0
      }
      return checked
    default: return nil
    }
  }

  /// The base, of 32 bits.
  @inlinable public var base: UInt64 { rawValue >> 16 & 0xff_ffff | rawValue >> 32 & 0xff00_0000 }

  /// The offset of the last byte: the limit in bytes.
  @inlinable public var lastOffset: UInt64 {
    let limit = rawValue & 0xffff | rawValue >> 32 & 0xf_0000
    return rawValue >> 55 & 1 != 0 ? limit << 12 | 0xfff : limit
  }

  /// With a limit that ends before `end`, unless it grows down or wraps round.
  @inlinable func cut(at end: UInt64) -> Self {
    let isGrowingDown = type & 0xc == 4
    let reach = base + lastOffset
    guard !isGrowingDown, base < end, reach >= end, reach >> 32 == 0 else { return self }
    let size = end - base
    var cut = self
    // Whole pages only, of which there may be none: then the limit counts bytes.
    if size < 0x1000 { cut.rawValue &= ~(1 << 55) }
    let limit = cut.rawValue >> 55 & 1 != 0 ? (size >> 12) - 1 : size - 1
    cut.rawValue = cut.rawValue & ~0x000f_0000_0000_ffff | limit & 0xffff | (limit & 0xf_0000) << 32
    return cut
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
