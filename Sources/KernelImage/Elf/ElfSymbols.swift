// Names out of an ELF file's symbol table.

import CElfutils
import Glibc

extension ElfReader {
  /// Reads `.symtab`, or `.dynsym` where there is no `.symtab`.
  mutating func readSymbols(_ file: borrowing ElfFile) throws(ImageError) {
    guard
      let table = headers.firstIndex(where: { $0.sh_type == GElf_Word(SHT_SYMTAB) })
        ?? headers.firstIndex(where: { $0.sh_type == GElf_Word(SHT_DYNSYM) })
    else { return }
    guard let link = Int(exactly: headers[table].sh_link), headers.indices.contains(link),
      let names = bytes.slice(headers[link].sh_offset, count: headers[link].sh_size)
    else {
      throw .malformed(
        path, "a string table for the symbols of section \(table)",
        "a link to section \(headers[table].sh_link)")
    }
    let extended = headers.firstIndex { header in
      header.sh_type == GElf_Word(SHT_SYMTAB_SHNDX) && Int(header.sh_link) == table
    }
    var found: [ImageSymbol] = []
    found.reserveCapacity(min(Int(headers[table].sh_size) / 24, ImageSymbol.limit))
    // Names may share their tails, so they can be more than the table; a table of symbols that
    // all name one long string would multiply it.
    var budget = min(names.count * 4 + 1 << 20, 256 << 20)
    let places = self.places
    let isRelocatable = contents.isRelocatable
    try file.forEachSymbol(inTable: table, extendedIndices: extended) { symbol, section in
      guard let kind = Self.kind(symbol.st_info), section != Int(SHN_UNDEF),
        section != Int(SHN_COMMON)
      else { return true }
      let place = places.indices.contains(section) ? places[section] : nil
      // An absolute address means nothing in a relocatable file.
      guard place != nil || !isRelocatable, let offset = Int(exactly: symbol.st_name),
        let name = names.string(at: offset, limit: 4096), !name.isEmpty
      else { return true }
      budget -= name.utf8.count
      var entry = ImageSymbol(
        name: name, address: symbol.st_value, size: symbol.st_size, kind: kind,
        section: place)
      entry.isGlobal = symbol.st_info >> 4 != UInt8(STB_LOCAL)
      found.append(entry)
      return budget > 0 && found.count <= ImageSymbol.limit
    }
    guard found.count <= ImageSymbol.limit else {
      throw .tooLarge(path, "at most \(ImageSymbol.limit) symbols", "more")
    }
    guard budget > 0 else {
      throw .malformed(
        path, "symbols that share the \(names.count) bytes of their string table sparingly",
        "names that repeat it more than four times, or take more than 256 MiB")
    }
    contents.symbols = found
  }

  /// What kind of name a symbol is; `nil` for those that name no address.
  private static func kind(_ info: UInt8) -> ImageSymbol.Kind? {
    switch Int32(info & 15) {
    case STT_FUNC, STT_GNU_IFUNC: .function
    case STT_OBJECT, STT_COMMON: .object
    case STT_NOTYPE: .other
    default: nil
    }
  }
}
