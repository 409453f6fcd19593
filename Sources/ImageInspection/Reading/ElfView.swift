// An ELF file the way Xen's loaders read it: headers at face value, nothing refused here. The
// judgement beside this folder says which of it a loader takes.

import KernelImage

/// The headers of an ELF file.
struct ElfView: Sendable {
  /// More headers than this are not read; a kernel has below a hundred.
  private static let headerLimit = 4096

  struct Segment: Sendable, Equatable {
    static let load: UInt32 = 1
    static let note: UInt32 = 4

    var index: Int
    var type: UInt32
    var flags: UInt32
    var offset: UInt64
    var virtualAddress: UInt64
    var physicalAddress: UInt64
    var fileSize: UInt64
    var memorySize: UInt64

    /// Xen loads segments of type LOAD that can be read, written or executed.
    var isLoaded: Bool { type == Self.load && flags & 7 != 0 }
  }

  struct Section: Sendable, Equatable {
    static let symbolTable: UInt32 = 2
    static let note: UInt32 = 7
    static let empty: UInt32 = 8

    var index: Int
    var name: UInt32
    var type: UInt32
    var offset: UInt64
    var size: UInt64
  }

  var bytes: ImageBytes
  var is64: Bool
  var isLittleEndian: Bool
  var machine: UInt16
  var entry: UInt64
  /// The end of the table of program headers as the file header has it, and of section headers.
  var segmentTableEnd: UInt64
  var sectionTableEnd: UInt64
  var segments: [Segment] = []
  var sections: [Section] = []
  private var nameTable: Int

  /// `nil` where the bytes are no ELF file or hold no whole file header.
  init?(_ bytes: ImageBytes) {
    guard bytes.load(0, as: UInt32.self) == 0x464c_457f, let fileClass: UInt8 = bytes.load(4),
      fileClass == 1 || fileClass == 2, let order: UInt8 = bytes.load(5),
      let machine: UInt16 = bytes.load(18)
    else { return nil }
    let is64 = fileClass == 2
    let fields = Fields(bytes: bytes, is64: is64)
    let counts: UInt64 = is64 ? 54 : 42
    guard let entry = fields.word(24), let segmentTable = fields.word(is64 ? 32 : 28),
      let sectionTable = fields.word(is64 ? 40 : 32), let segmentSize = fields.half(counts),
      let segmentCount = fields.half(counts + 2), let sectionSize = fields.half(counts + 4),
      let sectionCount = fields.half(counts + 6), let names = fields.half(counts + 8)
    else { return nil }
    self.bytes = bytes
    self.is64 = is64
    self.machine = machine
    self.entry = entry
    isLittleEndian = order == 1
    nameTable = Int(names)
    // Products of 16-bit numbers, so only the sum can wrap.
    segmentTableEnd = Self.end(segmentTable, segmentSize * segmentCount)
    sectionTableEnd = Self.end(sectionTable, sectionSize * sectionCount)
    for index in 0..<min(Int(segmentCount), Self.headerLimit) {
      let offset = segmentTable.addingReportingOverflow(UInt64(index) * segmentSize)
      guard !offset.overflow, let segment = fields.segment(offset.partialValue, index) else {
        break
      }
      segments.append(segment)
    }
    for index in 0..<min(Int(sectionCount), Self.headerLimit) {
      let offset = sectionTable.addingReportingOverflow(UInt64(index) * sectionSize)
      guard !offset.overflow, let section = fields.section(offset.partialValue, index) else {
        break
      }
      sections.append(section)
    }
  }

  /// The first section with this name.
  func section(named name: String) -> Section? {
    guard sections.indices.contains(nameTable) else { return nil }
    let names = sections[nameTable]
    return sections.dropFirst().first { section in
      let (at, overflow) = names.offset.addingReportingOverflow(UInt64(section.name))
      return !overflow && LoaderText.text(in: bytes, at: at, limit: 64) == name
    }
  }

  private static func end(_ start: UInt64, _ size: UInt64) -> UInt64 {
    let (end, overflow) = start.addingReportingOverflow(size)
    return overflow ? .max : end
  }
}

/// Reads fields whose width or place depends on the class.
private struct Fields {
  var bytes: ImageBytes
  var is64: Bool

  func word(_ offset: UInt64) -> UInt64? {
    is64 ? bytes.load(at: offset) : bytes.load(at: offset, as: UInt32.self).map(UInt64.init)
  }

  func half(_ offset: UInt64) -> UInt64? {
    bytes.load(at: offset, as: UInt16.self).map(UInt64.init)
  }

  func segment(_ start: UInt64, _ index: Int) -> ElfView.Segment? {
    guard let header = bytes.slice(start, count: is64 ? 56 : 32) else { return nil }
    let inner = Self(bytes: header, is64: is64)
    let at: [UInt64] = is64 ? [4, 8, 16, 24, 32, 40] : [24, 4, 8, 12, 16, 20]
    guard let type: UInt32 = header.load(0), let flags: UInt32 = header.load(at: at[0]),
      let offset = inner.word(at[1]), let virtual = inner.word(at[2]),
      let physical = inner.word(at[3]), let fileSize = inner.word(at[4]),
      let memorySize = inner.word(at[5])
    else { return nil }
    return ElfView.Segment(
      index: index, type: type, flags: flags, offset: offset, virtualAddress: virtual,
      physicalAddress: physical, fileSize: fileSize, memorySize: memorySize)
  }

  func section(_ start: UInt64, _ index: Int) -> ElfView.Section? {
    guard let header = bytes.slice(start, count: is64 ? 64 : 40) else { return nil }
    let inner = Self(bytes: header, is64: is64)
    guard let name: UInt32 = header.load(0), let type: UInt32 = header.load(4),
      let offset = inner.word(is64 ? 24 : 16), let size = inner.word(is64 ? 32 : 20)
    else { return nil }
    return ElfView.Section(index: index, name: name, type: type, offset: offset, size: size)
  }
}
