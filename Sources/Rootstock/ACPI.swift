// What the firmware's ACPI tables say about processors, interrupt controllers and power.
// ACPI 6.4: 5.2.5 (root pointer), 5.2.12 (MADT), 5.2.9 (FADT).

import CMachine
import HypervisorCore

/// What was found.
struct ACPIFacts {
  var localAPIC: UInt64 = 0xfee0_0000
  var ioAPIC: UInt64 = 0
  var apicIDs = InlineArray<32, UInt32>(repeating: 0)
  var processorCount = 0
  /// The I/O port of the PM1a control register, or 0.
  var powerPort: UInt16 = 0
  /// The interrupt controller's line of the first serial port: ISA's number 4, unless overridden.
  var serialLine: UInt32 = 4
  var isSerialLineLevel = false
  var isSerialLineActiveLow = false
  /// What SLP_TYP must be for the soft-off state.
  var softOffType: UInt16 = 0

  /// Reads the tables; without a root pointer the defaults stay.
  mutating func read(rootPointer: UInt64) {
    let root = rootPointer != 0 ? rootPointer : findRootPointer()
    guard root != 0 else { return }
    let revision = DirectMap.load(UInt8.self, at: MachineAddress(root + 15))
    var list = UInt64(DirectMap.load(UInt32.self, at: MachineAddress(root + 16)))
    var width: UInt64 = 4
    if revision >= 2 {
      let extended = DirectMap.load(UInt64.self, at: MachineAddress(root + 24))
      if extended != 0 {
        list = extended
        width = 8
      }
    }
    guard let table = ACPITable(at: list) else { return }
    var offset: UInt64 = 36
    while offset + width <= table.length {
      let entry =
        width == 8 ? table.read(UInt64.self, offset) : UInt64(table.read(UInt32.self, offset))
      if let child = ACPITable(at: entry) {
        switch child.signature {
        case 0x4349_5041: readProcessors(child)  // APIC
        case 0x5043_4146: readPower(child)  // FACP
        default: break
        }
      }
      offset += width
    }
  }

  private func findRootPointer() -> UInt64 {
    var address: UInt64 = 0xe0000
    while address < 0x100000 {
      if DirectMap.load(UInt64.self, at: MachineAddress(address)) == 0x2052_5450_2044_5352 {
        return address
      }
      address += 16
    }
    return 0
  }

  private mutating func readProcessors(_ table: ACPITable) {
    localAPIC = UInt64(table.read(UInt32.self, 36))
    var offset: UInt64 = 44
    while offset + 2 <= table.length {
      let type = table.read(UInt8.self, offset)
      let length = UInt64(table.read(UInt8.self, offset + 1))
      guard length >= 2, offset + length <= table.length else { return }
      if type == 0, length >= 8, table.read(UInt32.self, offset + 4) & 1 != 0,
        processorCount < apicIDs.count
      {
        apicIDs[processorCount] = UInt32(table.read(UInt8.self, offset + 3))
        processorCount += 1
      }
      if type == 1, length >= 12, ioAPIC == 0 {
        ioAPIC = UInt64(table.read(UInt32.self, offset + 4))
      }
      // An override of ISA's number 4: its line, and how it interrupts where that is not as on ISA.
      if type == 2, length >= 10, table.read(UInt8.self, offset + 3) == 4 {
        let flags = table.read(UInt16.self, offset + 8)
        serialLine = table.read(UInt32.self, offset + 4)
        isSerialLineLevel = flags >> 2 & 3 == 3
        isSerialLineActiveLow = flags & 3 == 3
      }
      offset += length
    }
  }

  private mutating func readPower(_ table: ACPITable) {
    guard table.length >= 68 else { return }
    powerPort = UInt16(truncatingIfNeeded: table.read(UInt32.self, 64))
    guard let code = ACPITable(at: UInt64(table.read(UInt32.self, 40))) else { return }
    // \_S5 is a package of integers: "_S5_", package opcode, length, count, then the first
    // element as a bare 0 or 1 or as a byte behind the prefix 0x0a.
    var offset: UInt64 = 36
    while offset + 9 <= code.length {
      if code.read(UInt32.self, offset) == 0x5f35_535f, code.read(UInt8.self, offset + 4) == 0x12 {
        let element = code.read(UInt8.self, offset + 7)
        softOffType = UInt16(element == 0x0a ? code.read(UInt8.self, offset + 8) : element)
        return
      }
      offset += 1
    }
  }
}

/// One table, its length believed only up to a limit.
struct ACPITable {
  let address: UInt64
  let length: UInt64

  init?(at address: UInt64) {
    // The direct map reaches 4 GiB for certain; firmware puts tables below.
    guard address != 0, address < 0xffff_0000 else { return nil }
    self.address = address
    length = min(UInt64(DirectMap.load(UInt32.self, at: MachineAddress(address + 4))), 0x10_0000)
    guard length >= 36, address + length <= 1 << 32 else { return nil }
  }

  var signature: UInt32 { read(UInt32.self, 0) }

  func read<T: BitwiseCopyable>(_ type: T.Type, _ offset: UInt64) -> T {
    DirectMap.load(type, at: MachineAddress(address + offset))
  }
}
