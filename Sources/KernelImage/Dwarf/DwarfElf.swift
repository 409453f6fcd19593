// The container of debugging information: an ELF file mapped into memory, its section headers read
// by libelf, the contents of sections handed out as bytes, uncompressed where the file packs them.

import CElfutils

/// One section header of an ELF file, with its name.
struct DwarfElfSection {
  var name: String
  var type: UInt32
  var flags: UInt64
  var offset: UInt64
  var size: UInt64
  var link: Int
  var info: Int
  var address: UInt64
}

/// An ELF file whose sections hold debugging information.
///
/// `@unchecked Sendable`: the image is never written, and `unpacked` is written by ``contents(of:)``
/// only, which ``DwarfFile`` calls before it shares the object.
final class DwarfElf: @unchecked Sendable {
  /// The most bytes that the compressed sections of one file may unpack to.
  static let unpackedLimit = 512 << 20

  let path: String
  /// The whole file.
  let bytes: ImageBytes
  let is64: Bool
  let isRelocatable: Bool
  let sections: [DwarfElfSection]
  private var unpacked: [UnsafeMutableRawBufferPointer] = []
  private var unpackedBytes = 0

  /// Reads the section headers of a file in memory.
  init(_ bytes: ImageBytes, path: String) throws(ImageError) {
    guard ElfHeader.matches(bytes) else {
      throw .unknownFormat(
        path, "an ELF file with debugging information",
        "a file that begins with \(bytes.hexPrefix(8))")
    }
    let file = try ElfFile(bytes, path: path)
    self.path = path
    self.bytes = bytes
    is64 = file.header.is64
    isRelocatable = file.header.isRelocatable
    sections = try Self.sections(of: file)
  }

  /// Maps a file and reads its section headers.
  convenience init(path: String) throws(ImageError) {
    try self.init(MappedFile(path: path).bytes, path: path)
  }

  deinit {
    for buffer in unpacked { buffer.deallocate() }
  }

  private static func sections(
    of file: borrowing ElfFile
  ) throws(ImageError) -> [DwarfElfSection] {
    guard file.header.sectionCount > 0 else { return [] }
    let table = try file.section(try file.nameSection())
    let names = file.bytes.slice(table.sh_offset, count: table.sh_size) ?? .empty
    var sections: [DwarfElfSection] = []
    sections.reserveCapacity(file.header.sectionCount)
    for index in 0..<file.header.sectionCount {
      let header = try file.section(index)
      sections.append(
        DwarfElfSection(
          name: names.string(at: Int(header.sh_name), limit: 1024) ?? "", type: header.sh_type,
          flags: header.sh_flags, offset: header.sh_offset, size: header.sh_size,
          link: Int(header.sh_link), info: Int(header.sh_info), address: header.sh_addr))
    }
    return sections
  }

  /// The section with a name, the first of several.
  func section(named name: String) -> Int? {
    sections.firstIndex { $0.name == name && $0.type != UInt32(SHT_NOBITS) }
  }

  /// The bytes of a section as they stand in the file.
  func storedBytes(of index: Int) throws(ImageError) -> UnsafeRawBufferPointer {
    guard sections.indices.contains(index), sections[index].type != UInt32(SHT_NOBITS) else {
      return UnsafeRawBufferPointer(start: nil, count: 0)
    }
    let section = sections[index]
    guard let slice = bytes.slice(section.offset, count: section.size) else {
      throw .malformed(
        path, "section \(section.name) inside the file's \(bytes.count) bytes",
        "\(section.size) bytes at offset \(section.offset)")
    }
    return slice.buffer
  }

  /// The bytes of a section, unpacked where it is compressed.
  func contents(of index: Int) throws(ImageError) -> UnsafeRawBufferPointer {
    let stored = try storedBytes(of: index)
    guard sections.indices.contains(index) else { return stored }
    let name = sections[index].name
    guard
      let packed = try DwarfCompression(
        stored, isMarked: sections[index].flags & UInt64(SHF_COMPRESSED) != 0,
        isNamed: name.hasPrefix(".zdebug"), is64: is64, name: name, path: path)
    else { return stored }
    guard packed.size <= UInt64(Self.unpackedLimit - unpackedBytes) else {
      throw .tooLarge(
        path, "compressed sections that unpack to at most \(Self.unpackedLimit >> 20) MiB",
        "section \(name) of \(packed.size) bytes")
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Int(packed.size), alignment: 16)
    unpacked.append(buffer)
    unpackedBytes += buffer.count
    guard packed.unpack(into: buffer) else {
      throw .malformed(
        path, "\(packed.size) bytes packed in section \(name)",
        "a stream that does not unpack to them")
    }
    return UnsafeRawBufferPointer(buffer)
  }
}
