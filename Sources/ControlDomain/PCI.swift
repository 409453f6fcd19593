// PCI functions by configuration mechanism 1: PCI Local Bus Specification 3.0, 3.2.2.3.2 and 6.

import GuestRuntime

/// A function of a device.
struct PCIFunction {
  /// Bus, device and function, as in the address register.
  let place: UInt32
  private static let addressPort: UInt16 = 0xcf8
  private static let dataPort: UInt16 = 0xcfc

  private func select(_ offset: UInt8) {
    Ports.write32(Self.addressPort, 1 << 31 | place << 8 | UInt32(offset & 0xfc))
  }
  func read8(_ offset: UInt8) -> UInt8 {
    select(offset)
    return Ports.read8(Self.dataPort + UInt16(offset & 3))
  }
  func read16(_ offset: UInt8) -> UInt16 {
    select(offset)
    return Ports.read16(Self.dataPort + UInt16(offset & 2))
  }
  func read32(_ offset: UInt8) -> UInt32 {
    select(offset)
    return Ports.read32(Self.dataPort)
  }
  func write16(_ offset: UInt8, _ value: UInt16) {
    select(offset)
    Ports.write16(Self.dataPort + UInt16(offset & 2), value)
  }

  var vendor: UInt16 { read16(0) }
  var device: UInt16 { read16(2) }
  var subsystem: UInt16 { read16(0x2e) }
  /// The line that the firmware has routed the interrupt to; 0 and 255 for none.
  var interruptLine: UInt8 { read8(0x3c) }

  /// Lets the function answer accesses and reach memory itself.
  func enable() { write16(4, read16(4) | 7) }

  /// Where the firmware has put a range of registers.
  func base(_ index: Int) -> PCIRange? {
    guard index < 6 else { return nil }
    let offset = UInt8(0x10 + index * 4)
    let low = read32(offset)
    if low & 1 != 0 {
      let port = UInt16(truncatingIfNeeded: low & 0xfffc)
      return port == 0 ? nil : .ports(port)
    }
    var address = UInt64(low & 0xffff_fff0)
    if low & 6 == 4, index < 5 { address |= UInt64(read32(offset + 4)) << 32 }
    return address == 0 ? nil : .memory(address)
  }

  /// Calls `body` with the offset of each capability of a kind.
  func visitCapabilities(_ kind: UInt8, _ body: (UInt8) -> Void) {
    guard read16(6) & 0x10 != 0 else { return }
    var offset = read8(0x34) & 0xfc
    // A broken list could lead round for ever.
    var left = 48
    while offset != 0, left > 0 {
      if read8(offset) == kind { body(offset) }
      offset = read8(offset + 1) & 0xfc
      left -= 1
    }
  }

  /// Calls `body` with every function of the machine: of bus 0, and of the buses behind bridges.
  static func visitAll(_ body: (PCIFunction) -> Void) {
    var buses: [UInt32] = [0]
    var index = 0
    while index < buses.count {
      for slot in 0..<UInt32(32) {
        let first = PCIFunction(place: buses[index] << 8 | slot << 3)
        guard first.vendor != 0xffff else { continue }
        let count: UInt32 = first.read8(0x0e) & 0x80 != 0 ? 8 : 1
        for number in 0..<count {
          let function = PCIFunction(place: first.place | number)
          guard number == 0 || function.vendor != 0xffff else { continue }
          body(function)
          let isBridge = function.read8(0x0e) & 0x7f == 1
          let secondary = UInt32(function.read8(0x19))
          // Numbers are the firmware's; no bus is visited twice.
          if isBridge, !buses.contains(secondary) { buses.append(secondary) }
        }
      }
      index += 1
    }
  }
}

/// A range of a device's registers.
enum PCIRange {
  case ports(UInt16)
  case memory(UInt64)
}
