// What the boot loader says: memory map, modules, command line, ACPI's root pointer. Copied at
// once out of hvm_start_info (abi/pvh.yaml) or multiboot 2's tags, because that memory is given
// away later.

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
  private(set) var regions = InlineArray<64, MemoryRegion>(repeating: MemoryRegion())
  private(set) var regionCount = 0
  /// As many as BootAllocator has room to keep, beside the image.
  private(set) var modules = InlineArray<13, MemoryRange>(repeating: MemoryRange())
  private(set) var moduleCount = 0
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

  /// Reads what the entry was given; `false` without a memory map.
  ///
  /// The loader is trusted to have put it below 4 GiB; its numbers are limited all the same.
  mutating func read(startInfo address: UInt32) -> Bool {
    let start = MachineAddress(UInt64(address))
    // No list of tags is as long as this magic number.
    if DirectMap.load(UInt32.self, at: start) == UInt32(XEN_HVM_START_MAGIC_VALUE) {
      read(DirectMap.load(hvm_start_info.self, at: start))
    } else {
      readTags(at: start)
    }
    unpackModules()
    return regionCount > 0
  }

  private mutating func read(_ info: hvm_start_info) {
    rootPointer = info.rsdp_paddr
    commandLine.read(at: info.cmdline_paddr)
    let moduleSize = UInt64(MemoryLayout<hvm_modlist_entry>.size)
    for index in 0..<min(Int(info.nr_modules), modules.count) {
      let at = MachineAddress(info.modlist_paddr &+ UInt64(index) &* moduleSize)
      let module = DirectMap.load(hvm_modlist_entry.self, at: at)
      let (end, overflow) = module.paddr.addingReportingOverflow(module.size)
      if !overflow { add(module: MemoryRange(start: module.paddr, end: end)) }
    }
    guard info.version >= 1 else { return }
    let regionSize = UInt64(MemoryLayout<hvm_memmap_table_entry>.size)
    for index in 0..<min(Int(info.memmap_entries), regions.count) {
      let at = MachineAddress(info.memmap_paddr &+ UInt64(index) &* regionSize)
      let region = DirectMap.load(hvm_memmap_table_entry.self, at: at)
      let (end, overflow) = region.addr.addingReportingOverflow(region.size)
      add(
        region: MemoryRange(start: region.addr, end: overflow ? UInt64.max : end),
        type: region.type)
    }
  }

  /// Multiboot 2: the list of tags, which is its own length long.
  private mutating func readTags(at start: MachineAddress) {
    let pointer = UnsafeRawPointer(DirectMap.pointer(to: start))
    let head = ImageBytes(pointer, count: MultibootInformation.headLength)
    guard let size = MultibootInformation.totalSize(head) else { return }
    var tags = MultibootInformation(ImageBytes(pointer, count: size))
    while let tag = tags.next() {
      switch tag.type {
      case MultibootTagType.commandLine: commandLine.read(tag.body)
      case MultibootTagType.module:
        if let module = tag.module {
          add(module: MemoryRange(start: module.start, end: module.end))
        }
      case MultibootTagType.memoryMap:
        var list = tag.regions
        while let region = list.next() {
          add(region: MemoryRange(start: region.start, end: region.end), type: region.type)
        }
      case MultibootTagType.newRootPointer: rootPointer = RootPointerCopy.keep(tag.body)
      case MultibootTagType.oldRootPointer:
        if rootPointer == 0 { rootPointer = RootPointerCopy.keep(tag.body) }
      default: break
      }
    }
  }

  private mutating func add(region range: MemoryRange, type: UInt32) {
    guard regionCount < regions.count else { return }
    regions[regionCount] = MemoryRegion(range: range, type: type)
    regionCount += 1
  }

  /// Only what the direct map reaches already can be a module.
  private mutating func add(module: MemoryRange) {
    guard moduleCount < modules.count, module.start <= module.end, module.end <= 1 << 32
    else { return }
    modules[moduleCount] = module
    moduleCount += 1
  }

  /// An only module that is an archive stands for its members, which stay where they are.
  private mutating func unpackModules() {
    guard moduleCount == 1 else { return }
    let whole = modules[0]
    let pointer = UnsafeRawPointer(DirectMap.pointer(to: MachineAddress(whole.start)))
    guard var archive = ModuleArchive(ImageBytes(pointer, count: whole.end - whole.start))
    else { return }
    moduleCount = 0
    while true {
      switch archive.next() {
      case .member(let offset, let length):
        let start = whole.start + offset
        add(module: MemoryRange(start: start, end: start + length))
      case .end: return
      case .broken:
        log(.error).text("the archive of modules is broken behind module ")
          .decimal(moduleCount).end()
        moduleCount = 0
        return
      }
    }
  }
}

/// ACPI's root pointer as multiboot 2 has it: as a copy among the tags, which do not stay.
private enum RootPointerCopy {
  // SAFETY: written while the boot CPU alone runs; a static's storage has one address for good.
  nonisolated(unsafe) private static var words = InlineArray<5, UInt64>(repeating: 0)

  /// Keeps the copy; returns its machine address, or 0 where it is too short.
  static func keep(_ bytes: ImageBytes) -> UInt64 {
    guard bytes.count >= 20 else { return 0 }
    return withUnsafeMutableBytes(of: &words) { copy in
      for index in copy.indices { copy[index] = bytes[UInt64(index)] }
      guard let base = copy.baseAddress else { return 0 }
      return UInt64(UInt(bitPattern: base)) - UInt64(XG_IMAGE_BASE) + UInt64(XG_IMAGE_PHYSICAL)
    }
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

  /// Reads text up to its zero byte or its end.
  mutating func read(_ text: ImageBytes) {
    while count < characters.count - 1, text[UInt64(count)] != 0 {
      characters[count] = text[UInt64(count)]
      count += 1
    }
  }

  /// The character at `index`; 0 behind the end.
  subscript(index: Int) -> UInt8 { index < count ? characters[index] : 0 }

  /// Where the value of the option `name` begins, which includes its `=`; `nil` without it.
  ///
  /// Does not look behind the word `--`: what follows is the guests'.
  func value(of name: StaticString) -> Int? {
    var start = 0
    while start < count {
      var matched = 0
      while matched < name.utf8CodeUnitCount
        && self[start + matched] == name.utf8Start[matched]
      { matched += 1 }
      if matched == name.utf8CodeUnitCount { return start + matched }
      if isEnd(start) { return nil }
      while start < count && self[start] != 0x20 { start += 1 }
      while start < count && self[start] == 0x20 { start += 1 }
    }
    return nil
  }

  /// The word at `start` is `--`.
  private func isEnd(_ start: Int) -> Bool {
    self[start] == 0x2d && self[start + 1] == 0x2d
      && (self[start + 2] == 0x20 || start + 2 == count)
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
