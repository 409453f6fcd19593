// An ELF image as a loader sees it: segments and notes. Sections matter only where Xen's loader
// falls back on them. Everything comes from a file that may be hostile.

import KernelImage

/// One program header.
struct BootSegment: Equatable {
  var type: UInt32
  var offset: UInt64
  var virtualAddress: UInt64
  var physicalAddress: UInt64
  var fileSize: UInt64
  var memorySize: UInt64

  var isLoadable: Bool { type == 1 }
}

/// One note of any owner.
struct BootNote: Equatable {
  var owner: String
  var type: UInt32
  /// The descriptor's bytes.
  var contents: [UInt8]
  /// The text from the descriptor's start to the first zero, as a loader that trusts it reads on.
  var text: String
  /// Where it was found.
  var place: String
}

/// Why a file is no ELF image that could be loaded.
struct BootElfFault: Error, Equatable {
  var expected: String
  var found: String
}

/// The parts of an ELF file that loaders use.
struct BootElf {
  var is64Bit: Bool
  var machine: UInt16
  var type: UInt16
  var entry: UInt64
  var segments: [BootSegment] = []
  /// Notes of owner "Xen", of segments or else of sections.
  var notes: [BootNote] = []
  /// The text of the section `__xen_guest`, the form before notes.
  var guestSection: String?
  /// Faults that do not keep the file from being read.
  var remarks: [BootElfFault] = []

  private static let headerLimit = 4_096
  private static let noteLimit = 4_096

  init(_ bytes: ImageBytes) throws(BootElfFault) {
    guard bytes.load(0, as: UInt32.self) == 0x464C_457F, let kind: UInt8 = bytes.load(4),
      let order: UInt8 = bytes.load(5)
    else { throw BootElfFault(expected: "an ELF file", found: "another magic number") }
    guard kind == 1 || kind == 2, order == 1 else {
      throw BootElfFault(
        expected: "a little-endian ELF file of 32 or 64 bits",
        found: "class \(kind), byte order \(order)")
    }
    is64Bit = kind == 2
    guard let type: UInt16 = bytes.load(16), let machine: UInt16 = bytes.load(18),
      let entry = Self.word(bytes, 24, is64Bit),
      let tableOffset = Self.word(bytes, is64Bit ? 32 : 28, is64Bit),
      let sectionOffset = Self.word(bytes, is64Bit ? 40 : 32, is64Bit),
      let entrySize: UInt16 = bytes.load(is64Bit ? 54 : 42),
      let count: UInt16 = bytes.load(is64Bit ? 56 : 44),
      let sectionSize: UInt16 = bytes.load(is64Bit ? 58 : 46),
      let sectionCount: UInt16 = bytes.load(is64Bit ? 60 : 48),
      let nameIndex: UInt16 = bytes.load(is64Bit ? 62 : 50)
    else { throw BootElfFault(expected: "a whole ELF header", found: "\(bytes.count) bytes") }
    self.type = type
    self.machine = machine
    self.entry = entry
    guard Int(count) <= Self.headerLimit, Int(entrySize) >= (is64Bit ? 56 : 32) || count == 0 else {
      throw BootElfFault(
        expected: "program headers of \(is64Bit ? 56 : 32) bytes", found: "\(entrySize) bytes")
    }
    for index in 0..<UInt64(count) {
      let (start, overflow) = tableOffset.addingReportingOverflow(index * UInt64(entrySize))
      guard !overflow, let header = bytes.slice(start, count: UInt64(entrySize)),
        let segment = Self.segment(header, is64Bit)
      else {
        throw BootElfFault(
          expected: "\(count) program headers inside the file",
          found: "\(bytes.count) bytes, and header \(index) at offset \(tableOffset)")
      }
      segments.append(segment)
    }
    readSegmentNotes(bytes)
    if notes.isEmpty {
      readSections(
        bytes, at: sectionOffset, size: UInt64(sectionSize), count: UInt64(sectionCount),
        names: UInt64(nameIndex))
    }
  }

  private static func word(_ bytes: ImageBytes, _ offset: Int, _ is64Bit: Bool) -> UInt64? {
    is64Bit ? bytes.load(offset) : bytes.load(offset, as: UInt32.self).map(UInt64.init)
  }

  private static func segment(_ bytes: ImageBytes, _ is64Bit: Bool) -> BootSegment? {
    let places = is64Bit ? [8, 16, 24, 32, 40] : [4, 8, 12, 16, 20]
    let words = places.compactMap { word(bytes, $0, is64Bit) }
    guard let type: UInt32 = bytes.load(0), words.count == 5 else { return nil }
    return BootSegment(
      type: type, offset: words[0], virtualAddress: words[1], physicalAddress: words[2],
      fileSize: words[3], memorySize: words[4])
  }

  private mutating func readSegmentNotes(_ bytes: ImageBytes) {
    // Old linkers left the offset of note segments 0; Xen's loader passes over these.
    for (index, segment) in segments.enumerated() where segment.type == 4 && segment.offset != 0 {
      guard bytes.slice(segment.offset, count: segment.fileSize) != nil else {
        remarks.append(
          BootElfFault(
            expected: "note segment \(index) inside the file", found: "an end past the file's"))
        continue
      }
      readNotes(bytes, from: segment.offset, size: segment.fileSize, place: "segment \(index)")
    }
  }

  /// Reads the notes that begin in one area.
  ///
  /// As for Xen's loader, a note that begins inside counts even where it ends outside.
  private mutating func readNotes(
    _ bytes: ImageBytes, from start: UInt64, size: UInt64, place: String
  ) {
    guard bytes.slice(start, count: size) != nil, let first = Int(exactly: start) else { return }
    let area = bytes.suffix(from: first)
    var position = 0
    // Each turn moves on by at least the 12 bytes of a header.
    while position < size, notes.count < Self.noteLimit, let nameSize: UInt32 = area.load(position),
      let contentSize: UInt32 = area.load(position + 4), let type: UInt32 = area.load(position + 8)
    {
      let nameStart = UInt64(position) + 12
      let contentStart = nameStart + (UInt64(nameSize) + 3) & ~3
      let end = contentStart + UInt64(contentSize)
      let name = area.slice(nameStart, count: UInt64(nameSize))
      let contents = area.slice(contentStart, count: UInt64(contentSize))
      if name == nil || contents == nil || end > size {
        remarks.append(
          BootElfFault(
            expected: "notes that end inside their \(place)",
            found: "a note at offset \(position) with sizes \(nameSize) and \(contentSize)"))
      }
      guard let name, let contents else { return }
      if Self.text(name) == "Xen" {
        let rest = area.suffix(from: Int(exactly: contentStart) ?? area.count)
        notes.append(
          BootNote(
            owner: "Xen", type: type, contents: Array(contents.buffer.prefix(4_096)),
            text: Self.text(rest), place: place))
      }
      guard let moved = Int(exactly: contentStart + (UInt64(contentSize) + 3) & ~3) else { return }
      position = moved
    }
  }

  private mutating func readSections(
    _ bytes: ImageBytes, at offset: UInt64, size: UInt64, count: UInt64, names: UInt64
  ) {
    guard size >= (is64Bit ? 64 : 40), count <= UInt64(Self.headerLimit) else { return }
    func header(_ index: UInt64) -> ImageBytes? {
      let (start, overflow) = offset.addingReportingOverflow(index * size)
      return overflow ? nil : bytes.slice(start, count: size)
    }
    func extent(_ header: ImageBytes) -> (UInt64, UInt64)? {
      guard let start = Self.word(header, is64Bit ? 24 : 16, is64Bit),
        let length = Self.word(header, is64Bit ? 32 : 20, is64Bit)
      else { return nil }
      return (start, length)
    }
    let nameTable = header(names).flatMap(extent)
    for index in 0..<count {
      guard let header = header(index), let type: UInt32 = header.load(4),
        let (start, length) = extent(header)
      else { continue }
      if type == 7 { readNotes(bytes, from: start, size: length, place: "section \(index)") }
      guard let nameTable, let nameOffset: UInt32 = header.load(0), type != 8 else { continue }
      let (place, overflow) = nameTable.0.addingReportingOverflow(UInt64(nameOffset))
      guard !overflow, let position = Int(exactly: place) else { continue }
      if Self.text(bytes.suffix(from: position)) == "__xen_guest",
        let contents = bytes.slice(start, count: min(length, 65_536))
      {
        guestSection = String(decoding: contents.buffer, as: UTF8.self)
      }
    }
    if !notes.isEmpty { guestSection = nil }
  }

  /// The text up to the first zero, at most 1024 bytes of it.
  private static func text(_ bytes: ImageBytes) -> String {
    String(decoding: bytes.buffer.prefix(1_024).prefix { $0 != 0 }, as: UTF8.self)
  }
}
