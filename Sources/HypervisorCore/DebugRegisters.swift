// The debug registers of a vcpu: Intel SDM volume 3, 17.2. What a guest may put into them is checked
// here; the metal loads them while the vcpu runs.

/// Why a debug register cannot be written or read.
public enum DebugRegisterError: Error, Hashable, Sendable {
  /// There is no register of the number.
  case absent
  /// The value can never be one: its upper half is not 0.
  case malformed
  /// The value would reach the hypervisor.
  case forbidden
}

/// The debug registers as a guest sees them.
public struct DebugRegisters: Sendable {
  /// DR6 without any condition: its fixed bits.
  static let emptyStatus: UInt64 = 0xffff_0ff0
  /// DR7 without any breakpoint: its fixed bit.
  static let emptyControl: UInt64 = 0x400
  private static let generalDetect: UInt64 = 1 << 13
  private static let enables: UInt64 = 0xff
  /// The condition of DR6 that an instruction was stepped over (BS).
  public static let singleStep: UInt64 = 1 << 14

  /// DR0 to DR3.
  public private(set) var addresses = InlineArray<4, UInt64>(repeating: 0)
  /// DR6.
  public private(set) var status = Self.emptyStatus
  /// DR7.
  public private(set) var control = Self.emptyControl

  /// Registers as after a reset.
  public init() {}

  /// Writes a register; `hasExtensions` is the guest's CR4.DE, and `end` where the addresses of a 32-bit
  /// guest end.
  ///
  /// A guest could let the processor stop in the hypervisor: by an address in its range, by general
  /// detect, which traps the hypervisor's own accesses, or by ports that the hypervisor uses, which
  /// only exist with the extensions, and never get to the processor (`hardwareControl`).
  public mutating func write(
    _ number: Int, _ value: UInt64, hasExtensions: Bool, end: UInt64? = nil
  ) throws(DebugRegisterError) {
    switch number {
    case 0...3:
      let address = GuestVirtualAddress(value)
      guard address.isCanonical, !address.isInHypervisorRange else { throw .forbidden }
      if let end, value >= end { throw .forbidden }
      addresses[number] = value
    case 4 where !hasExtensions, 6:
      guard value >> 32 == 0 else { throw .malformed }
      status = value & ~(1 << 12) | Self.emptyStatus
    case 5 where !hasExtensions, 7:
      guard value >> 32 == 0 else { throw .malformed }
      guard value & Self.generalDetect == 0 else { throw .forbidden }
      let checked = value & ~0xd800 | Self.emptyControl
      if checked & Self.enables != 0, !hasExtensions {
        for index in 0..<4 where Self.condition(index, checked) == 2 { throw .forbidden }
      }
      control = checked
    default: throw .absent
    }
  }

  /// Reads a register.
  public func read(_ number: Int, hasExtensions: Bool) throws(DebugRegisterError) -> UInt64 {
    switch number {
    case 0...3: return addresses[number]
    case 4 where !hasExtensions, 6: return status
    case 5 where !hasExtensions, 7: return control
    default: throw .absent
    }
  }

  /// Adds conditions that have come true to DR6.
  public mutating func note(_ conditions: UInt64) { status |= conditions & 0xe00f }

  /// DR7 for the processor, 0 where nothing is switched on.
  ///
  /// Breakpoints on ports are left out: guests' port accesses are emulated, and the hypervisor's own
  /// must not stop.
  public var hardwareControl: UInt64 {
    var hardware = control
    for index in 0..<4 where Self.condition(index, control) == 2 {
      hardware &= ~(3 << UInt64(index * 2))
    }
    return hardware & Self.enables == 0 ? 0 : hardware
  }

  /// The conditions of DR6 that an access to ports meets.
  public func conditions(onPort port: UInt16, byteCount: Int, hasExtensions: Bool) -> UInt64 {
    guard hasExtensions, control & Self.enables != 0 else { return 0 }
    var met: UInt64 = 0
    for index in 0..<4
    where Self.condition(index, control) == 2 && control >> UInt64(index * 2) & 3 != 0 {
      let length = control >> UInt64(18 + index * 4) & 3
      let size: UInt64 = length == 2 ? 8 : length + 1
      let first = addresses[index] & ~(size - 1)
      let start = UInt64(port)
      if first < start + UInt64(byteCount), start < first + size { met |= 1 << UInt64(index) }
    }
    return met
  }

  /// What a breakpoint waits for: 0 execution, 1 writes, 2 ports, 3 reads and writes.
  private static func condition(_ index: Int, _ control: UInt64) -> UInt64 {
    control >> UInt64(16 + index * 4) & 3
  }
}
