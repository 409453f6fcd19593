// The first bytes of an ELF file, judged before libelf sees it: libelf allocates by the counts
// that it finds there, so they must fit the file first.

/// The fields of an ELF header that decide how the rest is read.
struct ElfHeader {
  /// The most sections that are read; the kernel has below a hundred, a module some hundreds.
  static let sectionLimit: UInt64 = 1 << 18
  /// The most program headers that are read.
  static let segmentLimit: UInt64 = 1 << 12

  var is64: Bool
  var width: CodeWidth
  var isRelocatable: Bool
  var entry: UInt64
  var sectionCount: Int
  var segmentCount: Int

  /// The file begins as every ELF file does.
  static func matches(_ bytes: ImageBytes) -> Bool {
    bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46])
  }

  init(_ bytes: ImageBytes, path: String) throws(ImageError) {
    let fields = Fields(bytes)
    guard let fileClass: UInt8 = bytes.load(4), let order: UInt8 = bytes.load(5),
      let version: UInt8 = bytes.load(6), let type: UInt16 = bytes.load(16),
      let machine: UInt16 = bytes.load(18)
    else {
      throw .malformed(path, "a whole ELF header", "a file of \(bytes.count) bytes")
    }
    guard fileClass == 1 || fileClass == 2 else {
      throw .malformed(path, "ELF class 1 (32-bit) or 2 (64-bit)", "class \(fileClass)")
    }
    guard version == 1 else {
      throw .malformed(path, "ELF version 1", "version \(version)")
    }
    guard order == 1 else {
      guard order == 2 else {
        throw .malformed(path, "ELF data encoding 1 or 2", "encoding \(order)")
      }
      throw .unsupported(path, "a little-endian ELF file for x86", "a big-endian one")
    }
    is64 = fileClass == 2
    switch (machine, is64) {
    case (3, false): width = .bits32
    case (62, _): width = .bits64
    case (3, true):
      throw .malformed(path, "ELF class 1 (32-bit) for machine 3 (i386)", "class 2 (64-bit)")
    default:
      throw .unsupported(
        path, "ELF machine 62 (x86-64) or 3 (i386)", "machine \(machine)")
    }
    switch type {
    case 1: isRelocatable = true
    case 2, 3: isRelocatable = false
    default:
      throw .unsupported(
        path, "an executable, shared or relocatable ELF file (type 1, 2 or 3)", "type \(type)")
    }
    let layout = is64 ? Layout.elf64 : Layout.elf32
    guard bytes.count >= layout.header, let entry = fields.word(layout.entry, is64: is64),
      let segmentOffset = fields.word(layout.segmentOffset, is64: is64),
      let sectionOffset = fields.word(layout.sectionOffset, is64: is64)
    else {
      throw .malformed(
        path, "an ELF header of \(layout.header) bytes", "a file of \(bytes.count) bytes")
    }
    self.entry = entry
    let counts = layout.counts
    let table = Table(bytes: bytes, path: path)
    sectionCount = try table.count(
      "section", offset: sectionOffset, entry: fields.half(counts + 4),
      size: layout.sectionEntry,
      stated: fields.half(counts + 6), limit: Self.sectionLimit,
      extended: sectionOffset == 0
        ? 0 : fields.word(sectionOffset, plus: layout.firstSectionSize, is64: is64))
    segmentCount = try table.count(
      "program", offset: segmentOffset, entry: fields.half(counts), size: layout.segmentEntry,
      stated: fields.half(counts + 2) == 0xffff && sectionCount > 0
        ? fields.word(sectionOffset, plus: layout.firstSectionInfo, is64: false) ?? 0
        : fields.half(counts + 2),
      limit: Self.segmentLimit, extended: 0)
    let names = fields.half(counts + 8)
    guard sectionCount == 0 || names == 0xffff || names < UInt64(sectionCount) else {
      throw .malformed(
        path, "a section name table below \(sectionCount)", "section \(names)")
    }
  }
}

/// Where the header's fields stand (System V ABI, chapter 4).
private struct Layout {
  var header: Int
  var entry: UInt64
  var segmentOffset: UInt64
  var sectionOffset: UInt64
  /// `e_phentsize`, followed by `e_phnum`, `e_shentsize`, `e_shnum`, `e_shstrndx`.
  var counts: UInt64
  var segmentEntry: UInt64
  var sectionEntry: UInt64
  /// Of section header 0: where extended counts stand.
  var firstSectionSize: UInt64
  var firstSectionInfo: UInt64

  static let elf64 = Self(
    header: 64, entry: 24, segmentOffset: 32, sectionOffset: 40, counts: 54, segmentEntry: 56,
    sectionEntry: 64, firstSectionSize: 32, firstSectionInfo: 44)
  static let elf32 = Self(
    header: 52, entry: 24, segmentOffset: 28, sectionOffset: 32, counts: 42, segmentEntry: 32,
    sectionEntry: 40, firstSectionSize: 20, firstSectionInfo: 28)
}

private struct Fields {
  var bytes: ImageBytes

  init(_ bytes: ImageBytes) { self.bytes = bytes }

  func word(_ offset: UInt64, is64: Bool) -> UInt64? {
    is64 ? bytes.load(at: offset) : bytes.load(at: offset, as: UInt32.self).map(UInt64.init)
  }

  func word(_ offset: UInt64, plus more: UInt64, is64: Bool) -> UInt64? {
    let (sum, overflow) = offset.addingReportingOverflow(more)
    return overflow ? nil : word(sum, is64: is64)
  }

  /// A half word inside the header, whose size was checked.
  func half(_ offset: UInt64) -> UInt64 {
    UInt64(bytes.load(at: offset, as: UInt16.self) ?? 0)
  }
}

/// A table of headers somewhere in the file.
private struct Table {
  var bytes: ImageBytes
  var path: String

  /// The number of entries, once it is sure that all of them lie in the file.
  func count(
    _ kind: String, offset: UInt64, entry: UInt64, size: UInt64, stated: UInt64, limit: UInt64,
    extended: UInt64?
  ) throws(ImageError) -> Int {
    guard offset != 0 else { return 0 }
    let number = stated == 0 ? extended ?? 0 : stated
    guard number > 0 else { return 0 }
    guard entry == size else {
      throw .malformed(path, "\(kind) headers of \(size) bytes", "headers of \(entry) bytes")
    }
    guard number <= limit else {
      throw .malformed(path, "at most \(limit) \(kind) headers", "\(number)")
    }
    let (end, overflow) = offset.addingReportingOverflow(number * size)
    guard !overflow, end <= UInt64(bytes.count) else {
      throw .malformed(
        path, "\(number) \(kind) headers inside the file's \(bytes.count) bytes",
        "a table at \(hexadecimal(offset)) of \(number * size) bytes")
    }
    return Int(number)
  }
}
