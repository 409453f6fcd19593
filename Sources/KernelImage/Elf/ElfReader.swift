// ELF executables, shared objects and relocatables for x86: sections (or segments, where there is
// no section table), notes and entries. Symbols and relocations have files of their own.

import CElfutils

/// Reads one ELF file into ``ImageContents``.
struct ElfReader {
  let bytes: ImageBytes
  let path: String
  var contents: ImageContents
  /// For each section header of the file, its place in `contents.sections`.
  var places: [Int?] = []
  /// The section headers of the file.
  var headers: [GElf_Shdr] = []
  var segments: [GElf_Phdr] = []

  static func read(_ bytes: ImageBytes, path: String) throws(ImageError) -> ImageContents {
    let file = try ElfFile(bytes, path: path)
    var reader = Self(file)
    try reader.readSections(file)
    try reader.readSegments(file)
    try reader.useSegmentsIfNeeded()
    try reader.checkExecutableSize()
    try reader.readSymbols(file)
    reader.readRelocations()
    reader.readNotesAndEntries(file.header)
    return reader.contents
  }

  private init(_ file: borrowing ElfFile) {
    bytes = file.bytes
    path = file.path
    contents = ImageContents(
      format: file.header.is64 ? .elf64 : .elf32, width: file.header.width)
    contents.isRelocatable = file.header.isRelocatable
  }

  private mutating func readSections(_ file: borrowing ElfFile) throws(ImageError) {
    guard file.header.sectionCount > 0 else { return }
    headers.reserveCapacity(file.header.sectionCount)
    for index in 0..<file.header.sectionCount {
      headers.append(try file.section(index))
    }
    // Header 0 describes no section. Its fields, which libelf has used, are never checked.
    headers[0] = GElf_Shdr()
    let table = headers[try file.nameSection()]
    // A broken name table takes the names only; the contents can still be scanned.
    let names = bytes.slice(table.sh_offset, count: table.sh_size) ?? .empty
    for (index, header) in headers.enumerated() {
      guard header.sh_type != GElf_Word(SHT_NULL) else {
        places.append(nil)
        continue
      }
      let name = names.string(at: Int(header.sh_name), limit: 256) ?? "section \(index)"
      places.append(try append(header, name: name))
    }
  }

  private mutating func append(_ header: GElf_Shdr, name: String) throws(ImageError) -> Int {
    var content = ImageBytes.empty
    if header.sh_type != GElf_Word(SHT_NOBITS) {
      guard let slice = bytes.slice(header.sh_offset, count: header.sh_size) else {
        throw .malformed(
          path, "all bytes of \(name) inside the file's \(bytes.count) bytes",
          "\(header.sh_size) bytes at \(hexadecimal(header.sh_offset))")
      }
      content = slice
    }
    let isAllocated = header.sh_flags & GElf_Xword(SHF_ALLOC) != 0
    let address = contents.isRelocatable ? 0 : header.sh_addr
    try checkAddress(address, size: header.sh_size, of: "section \(name)")
    return contents.append(
      name: name, address: address, size: header.sh_size, isAllocated: isAllocated,
      isExecutable: isAllocated && header.sh_flags & GElf_Xword(SHF_EXECINSTR) != 0,
      isWritable: header.sh_flags & GElf_Xword(SHF_WRITE) != 0, bytes: content)
  }

  private mutating func readSegments(_ file: borrowing ElfFile) throws(ImageError) {
    for index in 0..<file.header.segmentCount {
      segments.append(try file.segment(index))
    }
  }

  /// Makes sections of the program headers where the section table names no code but they do.
  private mutating func useSegmentsIfNeeded() throws(ImageError) {
    let loads = segments.enumerated().filter { $0.element.p_type == GElf_Word(PT_LOAD) }
    guard !contents.sections.contains(where: \.isExecutable),
      loads.contains(where: { $0.element.p_flags & GElf_Word(PF_X) != 0 })
    else { return }
    if contents.sections.isEmpty {
      contents.remarks.append("no section table; program headers are read as sections")
    } else {
      contents.remarks.append("no executable section; program headers are read as sections")
      contents.sections = []
      places = headers.map { _ in nil }
    }
    for (index, header) in loads {
      guard let slice = bytes.slice(header.p_offset, count: header.p_filesz),
        header.p_filesz <= header.p_memsz
      else {
        throw .malformed(
          path, "segment \(index) inside the file's \(bytes.count) bytes",
          "\(header.p_filesz) bytes at \(hexadecimal(header.p_offset)) for "
            + "\(header.p_memsz) bytes of memory")
      }
      try checkAddress(header.p_vaddr, size: header.p_memsz, of: "segment \(index)")
      contents.append(
        name: "segment \(index)", address: header.p_vaddr, size: header.p_memsz,
        isExecutable: header.p_flags & GElf_Word(PF_X) != 0,
        isWritable: header.p_flags & GElf_Word(PF_W) != 0, bytes: slice)
    }
  }

  private func checkAddress(
    _ address: UInt64, size: UInt64, of name: String
  ) throws(ImageError) {
    let space: UInt64 = contents.format == .elf32 ? 1 << 32 - 1 : .max
    guard size == 0 || address <= space && size - 1 <= space - address else {
      throw .malformed(
        path, "\(name) inside the address space",
        "\(hexadecimal(size)) bytes at \(hexadecimal(address))")
    }
  }

  /// Refuses code sections that share bytes of the file.
  ///
  /// No linker writes such a file, and scanning time would grow with the square of its size.
  private func checkExecutableSize() throws(ImageError) {
    var total = 0
    for section in contents.sections where section.isExecutable {
      total += section.bytes.count
      guard total <= bytes.count else {
        throw .malformed(
          path, "code sections that do not overlap in the file",
          "more than \(total) bytes of code in a file of \(bytes.count) bytes")
      }
    }
  }
}
