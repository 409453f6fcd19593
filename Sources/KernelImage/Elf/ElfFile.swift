// The one owner of a libelf handle. libelf reads from the mapped bytes in place; the readers
// beside this file copy what they need into values while the handle lives.

import CElfutils
import Glibc

/// An ELF file open in libelf, whose header was checked.
struct ElfFile: ~Copyable {
  let bytes: ImageBytes
  let path: String
  let header: ElfHeader
  private let handle: OpaquePointer

  init(_ bytes: ImageBytes, path: String) throws(ImageError) {
    // Everything that can fail comes before the first property: an owner must not be half made.
    let header = try ElfHeader(bytes, path: path)
    handle = try Self.openHandle(bytes, path: path)
    self.header = header
    self.bytes = bytes
    self.path = path
  }

  private static func openHandle(
    _ bytes: ImageBytes, path: String
  ) throws(ImageError) -> OpaquePointer {
    guard elf_version(UInt32(EV_CURRENT)) != 0, let start = bytes.buffer.baseAddress,
      // SAFETY: `elf_memory` takes a mutable pointer, but opens for reading only (ELF_C_READ)
      // and never writes to the image; `bytes`, which the owner of the handle also holds, keeps
      // the memory alive until `elf_end`.
      let handle = elf_memory(
        UnsafeMutablePointer(mutating: start.assumingMemoryBound(to: CChar.self)), bytes.count)
    else {
      throw .malformed(path, "an ELF file that libelf reads", Self.lastError())
    }
    guard elf_kind(handle) == ELF_K_ELF else {
      elf_end(handle)
      throw .malformed(path, "an ELF file that libelf reads", "another kind of file")
    }
    return handle
  }

  deinit { elf_end(handle) }

  /// The header of section `index`, which is below `header.sectionCount`.
  func section(_ index: Int) throws(ImageError) -> GElf_Shdr {
    var result = GElf_Shdr()
    guard let section = elf_getscn(handle, index), gelf_getshdr(section, &result) != nil else {
      throw .malformed(path, "a header of section \(index)", Self.lastError())
    }
    return result
  }

  /// The program header `index`, which is below `header.segmentCount`.
  func segment(_ index: Int) throws(ImageError) -> GElf_Phdr {
    var result = GElf_Phdr()
    guard let number = Int32(exactly: index), gelf_getphdr(handle, number, &result) != nil else {
      throw .malformed(path, "program header \(index)", Self.lastError())
    }
    return result
  }

  /// The section that holds the sections' names.
  func nameSection() throws(ImageError) -> Int {
    var index = 0
    guard elf_getshdrstrndx(handle, &index) == 0, index < header.sectionCount else {
      throw .malformed(path, "a section with the sections' names", Self.lastError())
    }
    return index
  }

  /// Calls `body` with each entry of a symbol table and the section index it carries.
  func forEachSymbol(
    inTable table: Int, extendedIndices: Int?, _ body: (GElf_Sym, Int) -> Bool
  ) throws(ImageError) {
    guard let data = elf_getdata(elf_getscn(handle, table), nil) else {
      throw .malformed(path, "a symbol table in section \(table)", Self.lastError())
    }
    let extended = extendedIndices.flatMap { elf_getdata(elf_getscn(handle, $0), nil) }
    var symbol = GElf_Sym()
    var section: GElf_Word = 0
    var index: Int32 = 0
    // libelf answers nil past the last entry, which bounds the loop by the table's size.
    while gelf_getsymshndx(data, extended, index, &symbol, &section) != nil {
      let isExtended = Int32(symbol.st_shndx) == SHN_XINDEX
      guard body(symbol, isExtended ? Int(section) : Int(symbol.st_shndx)) else { return }
      index += 1
    }
  }

  private static func lastError() -> String {
    guard let text = elf_errmsg(-1) else { return "something else" }
    return String(cString: text)
  }
}
