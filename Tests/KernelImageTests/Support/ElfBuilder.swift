// Small ELF files for the tests, laid out by hand: header, program headers, contents, section
// headers.

/// Builds one ELF file.
struct ElfBuilder {
  struct Section {
    var name: String
    var type: UInt32 = 1
    var flags: UInt64 = 0
    var address: UInt64 = 0
    var bytes: [UInt8] = []
    /// Size in memory of a section without bytes (type 8).
    var size: UInt64?
    var link: UInt32 = 0
    var info: UInt32 = 0
    var entrySize: UInt64 = 0
  }

  struct Segment {
    var type: UInt32 = 1
    var flags: UInt32 = 5
    var address: UInt64
    var physical: UInt64
    var bytes: [UInt8] = []
    /// Index of the section whose bytes the segment maps, instead of bytes of its own.
    var section: Int?
    var memorySize: UInt64?
  }

  struct Symbol {
    var name: String
    var value: UInt64
    var size: UInt64 = 0
    /// `STT_FUNC`, global.
    var info: UInt8 = 0x12
    var section: UInt16 = 1
  }

  static let allocated: UInt64 = 2
  static let code: UInt64 = 6

  var is64 = true
  var type: UInt16 = 2
  var machine: UInt16 = 62
  var entry: UInt64 = 0
  /// Sections from index 1 on; the name table is added behind them.
  var sections: [Section] = []
  var segments: [Segment] = []
  var hasSectionTable = true

  /// Adds `.symtab` and `.strtab` behind the sections that are there.
  mutating func add(symbols: [Symbol]) {
    var table = ByteWriter()
    var names = ByteWriter()
    names.put(UInt8(0))
    table.pad(toCount: is64 ? 24 : 16)
    for symbol in symbols {
      table.put(UInt32(names.count))
      names.put(symbol.name)
      if is64 {
        table.put(symbol.info)
        table.put(UInt8(0))
        table.put(symbol.section)
        table.put(symbol.value)
        table.put(symbol.size)
      } else {
        table.put(UInt32(symbol.value))
        table.put(UInt32(symbol.size))
        table.put(symbol.info)
        table.put(UInt8(0))
        table.put(symbol.section)
      }
    }
    sections.append(
      Section(
        name: ".symtab", type: 2, bytes: table.bytes, link: UInt32(sections.count + 2), info: 1,
        entrySize: is64 ? 24 : 16))
    sections.append(Section(name: ".strtab", type: 3, bytes: names.bytes))
  }

  /// A note as sections of type 7 hold it.
  static func note(owner: String, type: UInt32, description: [UInt8]) -> [UInt8] {
    var writer = ByteWriter()
    writer.put(UInt32(owner.utf8.count + 1))
    writer.put(UInt32(description.count))
    writer.put(type)
    writer.put(owner)
    writer.pad(to: 4)
    writer.put(description)
    writer.pad(to: 4)
    return writer.bytes
  }

  func build() -> [UInt8] {
    var file = ByteWriter()
    let headerSize = is64 ? 64 : 52
    let segmentSize = is64 ? 56 : 32
    let sectionSize = is64 ? 64 : 40
    file.pad(toCount: headerSize + segments.count * segmentSize)
    var all = [Section(name: "", type: 0)] + sections
    var names = ByteWriter()
    if hasSectionTable {
      all.append(Section(name: ".shstrtab", type: 3))
      names.put(UInt8(0))
    }
    var nameOffsets: [UInt32] = []
    for section in all {
      nameOffsets.append(section.name.isEmpty ? 0 : UInt32(names.count))
      if !section.name.isEmpty { names.put(section.name) }
    }
    if hasSectionTable { all[all.count - 1].bytes = names.bytes }
    var offsets: [UInt64] = []
    for section in all {
      file.pad(to: 16)
      offsets.append(section.type == 0 ? 0 : UInt64(file.count))
      file.put(section.bytes)
    }
    var segmentOffsets: [UInt64] = []
    for segment in segments {
      file.pad(to: 16)
      segmentOffsets.append(segment.section.map { offsets[$0] } ?? UInt64(file.count))
      file.put(segment.bytes)
    }
    file.pad(to: 16)
    let tableOffset = hasSectionTable ? UInt64(file.count) : 0
    if hasSectionTable {
      for (index, section) in all.enumerated() {
        put(section, name: nameOffsets[index], offset: offsets[index], to: &file)
      }
    }
    var front = ByteWriter()
    front.put([0x7f, 0x45, 0x4c, 0x46, is64 ? 2 : 1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    front.put(type)
    front.put(machine)
    front.put(UInt32(1))
    front.putWord(entry, is64: is64)
    front.putWord(segments.isEmpty ? 0 : UInt64(headerSize), is64: is64)
    front.putWord(tableOffset, is64: is64)
    front.put(UInt32(0))
    front.put(UInt16(headerSize))
    front.put(UInt16(segmentSize))
    front.put(UInt16(segments.count))
    front.put(UInt16(sectionSize))
    front.put(UInt16(hasSectionTable ? all.count : 0))
    front.put(UInt16(hasSectionTable ? all.count - 1 : 0))
    for (index, segment) in segments.enumerated() {
      let content = segment.section.map { all[$0].bytes } ?? segment.bytes
      put(segment, content: content, offset: segmentOffsets[index], to: &front)
    }
    file.bytes.replaceSubrange(0..<front.count, with: front.bytes)
    return file.bytes
  }

  private func put(_ section: Section, name: UInt32, offset: UInt64, to file: inout ByteWriter) {
    file.put(name)
    file.put(section.type)
    file.putWord(section.flags, is64: is64)
    file.putWord(section.address, is64: is64)
    file.putWord(offset, is64: is64)
    file.putWord(section.size ?? UInt64(section.bytes.count), is64: is64)
    file.put(section.link)
    file.put(section.info)
    file.putWord(1, is64: is64)
    file.putWord(section.entrySize, is64: is64)
  }

  private func put(
    _ segment: Segment, content: [UInt8], offset: UInt64, to file: inout ByteWriter
  ) {
    file.put(segment.type)
    if is64 { file.put(segment.flags) }
    file.putWord(offset, is64: is64)
    file.putWord(segment.address, is64: is64)
    file.putWord(segment.physical, is64: is64)
    file.putWord(UInt64(content.count), is64: is64)
    file.putWord(segment.memorySize ?? UInt64(content.count), is64: is64)
    if !is64 { file.put(segment.flags) }
    file.putWord(1, is64: is64)
  }
}
