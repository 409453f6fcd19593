// COFF symbols, which GNU ld leaves in the PE images that it makes (Xen's, for one).

extension PortableExecutable {
  private static let entrySize: UInt64 = 18

  /// Adds the symbols that the file header at `header` points to.
  ///
  /// A table that is not whole takes the names only: tools that strip or sign images leave such.
  static func addSymbols(
    to contents: inout ImageContents, file: ImageBytes, header: Int
  ) {
    guard let offset: UInt32 = file.load(header + 8), let count: UInt32 = file.load(header + 12),
      offset > 0, count > 0
    else { return }
    let size = UInt64(count) * entrySize
    guard count <= ImageSymbol.limit, let table = file.slice(UInt64(offset), count: size) else {
      contents.remarks.append("the COFF symbol table lies outside the file and is not read")
      return
    }
    let names = file.suffix(from: Int(offset) + Int(size))
    // As with ELF: many symbols that name one long string would multiply it.
    var budget = names.count * 4 + table.count
    var position = 0
    while position < table.count, budget > 0, let more: UInt8 = table.load(position + 17) {
      if let symbol = symbol(at: position, in: table, names: names, sections: contents.sections) {
        budget -= symbol.name.utf8.count
        contents.symbols.append(symbol)
      }
      // Auxiliary entries follow the one that they belong to.
      position += (Int(more) + 1) * Int(entrySize)
    }
  }

  /// The symbol at `position`, if it names a place in a section.
  private static func symbol(
    at position: Int, in table: ImageBytes, names: ImageBytes, sections: [ImageSection]
  ) -> ImageSymbol? {
    guard let value: UInt32 = table.load(position + 8),
      let number: Int16 = table.load(position + 12), number > 0, number <= sections.count,
      let type: UInt16 = table.load(position + 14), let storage: UInt8 = table.load(position + 16),
      let name = name(at: position, in: table, names: names), !name.isEmpty, name.first != "."
    else { return nil }
    // External, static, label and weak external are the classes that name code and data.
    guard [2, 3, 6, 105].contains(storage) else { return nil }
    let section = sections[Int(number) - 1]
    guard UInt64(value) < section.size else { return nil }
    let kind: ImageSymbol.Kind =
      type >> 4 == 2 ? .function : section.isExecutable ? .other : .object
    var symbol = ImageSymbol(
      name: name, address: section.address + UInt64(value), size: 0, kind: kind,
      section: section.index)
    symbol.isGlobal = storage != 3
    return symbol
  }

  /// A name of up to eight bytes stands in the entry, a longer one in the string table.
  private static func name(at position: Int, in table: ImageBytes, names: ImageBytes) -> String? {
    if table.load(position, as: UInt32.self) == 0 {
      guard let offset: UInt32 = table.load(position + 4) else { return nil }
      return names.string(at: Int(offset), limit: 4096)
    }
    guard let short = table.slice(UInt64(position), count: 8) else { return nil }
    return String(validating: short.buffer.prefix { $0 != 0 }, as: UTF8.self)
  }
}
