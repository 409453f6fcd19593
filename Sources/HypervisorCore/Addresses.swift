// Address kinds as types: a number of one kind never passes for another without a named conversion.
// Everything in HypervisorCore and Rootstock that names memory, a domain or a port uses these.

public import CXenABI

/// The number of a 4 KiB frame of the machine's physical memory.
public struct MachineFrame: Hashable, Comparable, Sendable {
  /// The frame number: machine address divided by 4096.
  public var number: UInt64

  /// Wraps a frame number.
  @inlinable public init(_ number: UInt64) { self.number = number }

  /// The address of the frame's first byte, without the bits that a machine address cannot have.
  @inlinable public var address: MachineAddress { MachineAddress(number << 12) }

  @inlinable public static func < (a: Self, b: Self) -> Bool { a.number < b.number }
}

/// An address in the machine's physical memory.
public struct MachineAddress: Hashable, Sendable {
  /// The address.
  public var value: UInt64

  /// Wraps an address.
  @inlinable public init(_ value: UInt64) { self.value = value }

  /// The frame that holds the byte.
  @inlinable public var frame: MachineFrame { MachineFrame(value >> 12) }

  /// The byte's place in its frame, 0 to 4095.
  @inlinable public var offset: Int { Int(truncatingIfNeeded: value & 0xfff) }
}

/// A frame number in a domain's own contiguous view of its memory (PFN).
public struct PseudoPhysicalFrame: Hashable, Sendable {
  /// The frame number.
  public var number: UInt64

  /// Wraps a frame number.
  @inlinable public init(_ number: UInt64) { self.number = number }

  /// What the M2P table says of a frame that has no place in its domain's view.
  @inlinable public static var none: Self { Self(~0) }
}

/// An address in a guest's virtual memory, as the guest gave it: any 64 bits.
public struct GuestVirtualAddress: Hashable, Sendable {
  /// The address.
  public var value: UInt64

  /// Wraps an address.
  @inlinable public init(_ value: UInt64) { self.value = value }

  /// Whether bits 63 to 47 are all alike, as a 48-bit processor demands.
  @inlinable public var isCanonical: Bool {
    let top = value >> 47
    return top == 0 || top == 0x1_ffff
  }

  /// Whether the address lies in the range that the ABI reserves for the hypervisor.
  @inlinable public var isInHypervisorRange: Bool { value >> 43 == 0x1_ffff0 }

  /// Which entry of the table of a level, 1 to 4, translates the address.
  @inlinable public func index(level: Int) -> Int {
    Int(truncatingIfNeeded: value >> UInt64(truncatingIfNeeded: 3 + 9 * level)) & 511
  }

  /// The address `count` bytes on, or nil where the sum wraps round.
  @inlinable public func advanced(by count: UInt64) -> Self? {
    let (sum, overflow) = value.addingReportingOverflow(count)
    return overflow ? nil : Self(sum)
  }

  /// Whether `count` bytes from here on lie in the guest's part of the address space.
  ///
  /// A length that wraps round, crosses the non-canonical gap or touches the hypervisor's range is
  /// refused, so that a later access cannot be steered into the hypervisor.
  @inlinable public func isGuestRange(byteCount: UInt64) -> Bool {
    guard byteCount > 0 else { return true }
    // For a count that is known where this is called, one comparison for each half is left.
    let upper: UInt64 = 0xffff_8800_0000_0000
    let upperSize = 0 &- upper
    if byteCount <= upperSize && value &- upper <= upperSize &- byteCount { return true }
    let lowerSize: UInt64 = 1 << 47
    return byteCount <= lowerSize && value <= lowerSize &- byteCount
  }
}

/// The number of a domain, or one of the ABI's special numbers.
public struct DomainID: Hashable, Sendable {
  /// The number.
  public var rawValue: UInt16

  /// Wraps a number.
  @inlinable public init(_ rawValue: UInt16) { self.rawValue = rawValue }

  /// The calling domain (`DOMID_SELF`).
  @inlinable public static var caller: Self { Self(UInt16(DOMID_SELF)) }
  /// The owner of I/O memory (`DOMID_IO`).
  @inlinable public static var io: Self { Self(UInt16(DOMID_IO)) }
  /// The owner of the hypervisor's own frames (`DOMID_XEN`).
  @inlinable public static var hypervisor: Self { Self(UInt16(DOMID_XEN)) }
  /// No domain (`DOMID_INVALID`).
  @inlinable public static var invalid: Self { Self(UInt16(DOMID_INVALID)) }

  /// Whether the number can be that of a domain.
  @inlinable public var isOrdinary: Bool { rawValue < UInt16(DOMID_FIRST_RESERVED) }
}

/// The number of a virtual processor within its domain.
public struct VCPUID: Hashable, Sendable {
  /// The number.
  public var rawValue: UInt32

  /// Wraps a number.
  @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// The number of an event channel within its domain; 0 is none.
public struct EventPort: Hashable, Sendable {
  /// The number.
  public var rawValue: UInt32

  /// Wraps a number.
  @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// An index into a domain's grant table.
public struct GrantReference: Hashable, Sendable {
  /// The index.
  public var rawValue: UInt32

  /// Wraps an index.
  @inlinable public init(_ rawValue: UInt32) { self.rawValue = rawValue }
}

/// The number of a physical processor, counted by the hypervisor from 0.
public struct ProcessorID: Hashable, Sendable {
  /// The number, below 64.
  public var rawValue: UInt8

  /// Wraps a number.
  @inlinable public init(_ rawValue: UInt8) { self.rawValue = rawValue }
}

/// A set of physical processors.
public struct ProcessorSet: Hashable, Sendable {
  /// Bit n stands for processor n.
  public var bits: UInt64

  /// The set with these bits.
  @inlinable public init(bits: UInt64) { self.bits = bits }

  /// The empty set.
  @inlinable public static var none: Self { Self(bits: 0) }

  /// Whether no processor is in the set.
  @inlinable public var isEmpty: Bool { bits == 0 }

  /// Whether the processor is in the set.
  @inlinable public func contains(_ cpu: ProcessorID) -> Bool {
    bits >> UInt64(cpu.rawValue & 63) & 1 != 0
  }

  /// Adds a processor.
  @inlinable public mutating func insert(_ cpu: ProcessorID) {
    bits |= 1 << UInt64(cpu.rawValue & 63)
  }

  /// Takes a processor out.
  @inlinable public mutating func remove(_ cpu: ProcessorID) {
    bits &= ~(1 << UInt64(cpu.rawValue & 63))
  }
}
