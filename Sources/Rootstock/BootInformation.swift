// What the boot loader says: memory map, modules, command line, ACPI's root pointer. Copied out
// of hvm_start_info (abi/pvh.yaml) at once, because that memory is given away later.

import CMachine
import CXenABI
import HypervisorCore

/// A stretch of machine memory, end excluded.
struct MemoryRange: BitwiseCopyable {
  var start: UInt64 = 0
  var end: UInt64 = 0

  func overlaps(_ other: MemoryRange) -> Bool { start < other.end && other.start < end }
}

/// A region of the memory map.
struct MemoryRegion: BitwiseCopyable {
  var range = MemoryRange()
  var type: UInt32 = 0

  var isRAM: Bool { type == UInt32(XEN_HVM_MEMMAP_TYPE_RAM) }
}

/// What the boot loader said.
struct BootInformation {
  var regions = InlineArray<64, MemoryRegion>(repeating: MemoryRegion())
  var regionCount = 0
  var modules = InlineArray<8, MemoryRange>(repeating: MemoryRange())
  var moduleCount = 0
  var commandLine = CommandLine()
  var rootPointer: UInt64 = 0

  /// The end of the highest RAM.
  var endOfMemory: UInt64 {
    var end: UInt64 = 0
    for index in 0..<regionCount where regions[index].isRAM {
      end = max(end, regions[index].range.end)
    }
    return end
  }

  /// Reads what the PVH entry was given.
  ///
  /// The loader is trusted to have put it below 4 GiB; its numbers are limited all the same.
  mutating func read(startInfo address: UInt32) -> Bool {
    let info = DirectMap.load(hvm_start_info.self, at: MachineAddress(UInt64(address)))
    guard info.magic == UInt32(XEN_HVM_START_MAGIC_VALUE) else { return false }
    rootPointer = info.rsdp_paddr
    commandLine.read(at: info.cmdline_paddr)
    let moduleSize = UInt64(MemoryLayout<hvm_modlist_entry>.size)
    for index in 0..<min(Int(info.nr_modules), modules.count) {
      let at = MachineAddress(info.modlist_paddr &+ UInt64(index) &* moduleSize)
      let module = DirectMap.load(hvm_modlist_entry.self, at: at)
      modules[index] = MemoryRange(start: module.paddr, end: module.paddr &+ module.size)
      moduleCount = index + 1
    }
    guard info.version >= 1 else { return false }
    let regionSize = UInt64(MemoryLayout<hvm_memmap_table_entry>.size)
    for index in 0..<min(Int(info.memmap_entries), regions.count) {
      let at = MachineAddress(info.memmap_paddr &+ UInt64(index) &* regionSize)
      let region = DirectMap.load(hvm_memmap_table_entry.self, at: at)
      let (end, overflow) = region.addr.addingReportingOverflow(region.size)
      regions[index] = MemoryRegion(
        range: MemoryRange(start: region.addr, end: overflow ? UInt64.max : end),
        type: region.type)
      regionCount = index + 1
    }
    return regionCount > 0
  }
}

/// The hypervisor's command line.
struct CommandLine {
  private var characters = InlineArray<1024, UInt8>(repeating: 0)
  private(set) var count = 0

  mutating func read(at address: UInt64) {
    guard address != 0 else { return }
    while count < characters.count - 1 {
      let byte = DirectMap.load(UInt8.self, at: MachineAddress(address &+ UInt64(count)))
      guard byte != 0 else { return }
      characters[count] = byte
      count += 1
    }
  }

  /// The character at `index`; 0 behind the end.
  subscript(index: Int) -> UInt8 { index < count ? characters[index] : 0 }

  /// Where the value of the option `name` begins, which includes its `=`; `nil` without it.
  func value(of name: StaticString) -> Int? {
    var start = 0
    while start < count {
      var matched = 0
      while matched < name.utf8CodeUnitCount
        && self[start + matched] == name.utf8Start[matched]
      { matched += 1 }
      if matched == name.utf8CodeUnitCount { return start + matched }
      while start < count && self[start] != 0x20 { start += 1 }
      while start < count && self[start] == 0x20 { start += 1 }
    }
    return nil
  }

  /// The decimal number that the option `name` gives.
  func number(of name: StaticString) -> UInt64? {
    guard var index = value(of: name) else { return nil }
    var number: UInt64 = 0
    var digits = 0
    while case 0x30...0x39 = self[index], digits < 12 {
      number = number * 10 + UInt64(self[index] - 0x30)
      index += 1
      digits += 1
    }
    return digits > 0 ? number : nil
  }
}
