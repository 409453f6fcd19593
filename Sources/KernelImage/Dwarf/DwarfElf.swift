// The container of debugging information: an ELF file mapped into memory, its section headers read
// by libelf, the contents of sections handed out as bytes, uncompressed where the file packs them.

import CElfutils
import Glibc

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
  /// The most section headers that are read.
  static let sectionLimit = 1 << 18
  /// The most bytes that the compressed sections of one file may unpack to.
  static let unpackedLimit = 640 << 20

  let path: String
  private let image: ImageBytes
  private(set) var sections: [DwarfElfSection] = []
  private(set) var is64 = true
  private(set) var isRelocatable = false
  private var unpacked: [UnsafeMutableRawBufferPointer] = []
  private var unpackedBytes = 0

  /// The whole file.
  var bytes: UnsafeRawBufferPointer { image.buffer }

  /// Reads the section headers of a file in memory.
  init(_ image: ImageBytes, path: String) throws(ImageError) {
    self.path = path
    self.image = image
    try readHeaders()
  }

  /// Maps a file and reads its section headers.
  convenience init(path: String) throws(ImageError) {
    try self.init(DebugFileMap(path).bytes, path: path)
  }

  deinit {
    for buffer in unpacked { buffer.deallocate() }
  }

  /// Checks what libelf trusts, then reads the section headers through it.
  private func readHeaders() throws(ImageError) {
    var cursor = DwarfCursor(bytes)
    guard cursor.u32() == 0x464c_457f else {
      throw malformed("an ELF file", "other bytes at its start", code: .unknownFormat)
    }
    is64 = cursor.u8() == 2
    let order = cursor.u8()
    cursor.seek(to: 16)
    isRelocatable = cursor.u16() == 1
    let machine = cursor.u16()
    guard !cursor.failed, order == 1, machine == 3 || machine == 62 else {
      throw malformed(
        "a little-endian ELF file for x86", "machine \(machine), byte order \(order)",
        code: .unsupported)
    }
    // libelf allocates by the count of sections, so the table has to fit the file first.
    cursor.seek(to: is64 ? 40 : 32)
    let table = cursor.unsigned(size: is64 ? 8 : 4)
    cursor.seek(to: is64 ? 58 : 46)
    let entrySize = Int(cursor.u16())
    var count = UInt64(cursor.u16())
    if count == 0, table != 0 {
      cursor.seek(to: table)
      cursor.skip(is64 ? 32 : 20)
      count = cursor.unsigned(size: is64 ? 8 : 4)
    }
    guard !cursor.failed, count <= UInt64(Self.sectionLimit),
      entrySize == (is64 ? 64 : 40) || count == 0,
      table <= UInt64(bytes.count), count * UInt64(entrySize) <= UInt64(bytes.count) - table
    else {
      throw malformed(
        "a section table inside the file's \(bytes.count) bytes",
        "\(count) headers at offset \(table)")
    }
    try readSections(count: Int(count))
  }

  private func readSections(count: Int) throws(ImageError) {
    _ = elf_version(UInt32(EV_CURRENT))
    // SAFETY: libelf opens the memory for reading only and does not write to it; the handle ends
    // in this function, before the map does.
    let elf = elf_memory(
      UnsafeMutablePointer(
        mutating: bytes.baseAddress?.assumingMemoryBound(to: CChar.self)), bytes.count)
    defer { elf_end(elf) }
    var names = 0
    guard elf_kind(elf) == ELF_K_ELF, elf_getshdrstrndx(elf, &names) == 0 else {
      throw malformed("an ELF file that libelf reads", String(cString: elf_errmsg(-1)))
    }
    sections.reserveCapacity(count)
    for index in 0..<count {
      var header = GElf_Shdr()
      guard let section = elf_getscn(elf, index), gelf_getshdr(section, &header) != nil else {
        throw malformed("a header of section \(index)", String(cString: elf_errmsg(-1)))
      }
      let name = elf_strptr(elf, names, Int(header.sh_name))
      sections.append(
        DwarfElfSection(
          name: name.map { String(cString: $0) } ?? "", type: header.sh_type,
          flags: header.sh_flags, offset: header.sh_offset, size: header.sh_size,
          link: Int(header.sh_link), info: Int(header.sh_info), address: header.sh_addr))
    }
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
    let (end, overflow) = section.offset.addingReportingOverflow(section.size)
    guard !overflow, end <= UInt64(bytes.count) else {
      throw malformed(
        "section \(section.name) inside the file's \(bytes.count) bytes",
        "\(section.size) bytes at offset \(section.offset)")
    }
    // Both are at most the file's size.
    return UnsafeRawBufferPointer(rebasing: bytes[Int(section.offset)..<Int(end)])
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
      throw malformed(
        "compressed sections that unpack to at most \(Self.unpackedLimit >> 20) MiB",
        "section \(name) of \(packed.size) bytes", code: .tooLarge)
    }
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: Int(packed.size), alignment: 16)
    unpacked.append(buffer)
    unpackedBytes += buffer.count
    guard packed.unpack(into: buffer) else {
      throw malformed(
        "\(packed.size) bytes packed in section \(name)", "a stream that does not unpack to them")
    }
    return UnsafeRawBufferPointer(buffer)
  }

  func malformed(
    _ expected: String, _ found: String, code: ImageError.Code = .malformed
  ) -> ImageError {
    ImageError(code, path: path, expected: expected, found: found)
  }
}
