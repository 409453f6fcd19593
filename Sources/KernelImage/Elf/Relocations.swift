// Relocations of kernel modules and other relocatable files. The bytes of such a file hold zeros
// where a table (alternatives, exception table, jump labels …) points at code; the relocations
// say where. They are decoded on request, one section at a time.

/// What one relocation points at.
public struct RelocationTarget: Sendable, Hashable {
  /// Where in the section the relocated field stands.
  public var offset: UInt64
  /// The ELF relocation type (`R_X86_64_PC32` is 2, `R_386_32` is 1 …).
  public var type: UInt32
  /// The section that is pointed at; `nil` for a symbol of another file and for absolute ones.
  public var targetSection: Int?
  /// Offset in that section: the symbol's value plus the addend.
  ///
  /// In a table that stores distances (`orig - .`), this is the place itself, since the addend of
  /// such a field is the distance wanted. In the operand of a call or jump the processor counts
  /// from the end of the instruction, so the addend carries -4 for a field that ends it.
  public var targetOffset: Int64
  public var addend: Int64
  /// The symbol's name, or its section's; empty where it has none.
  public var symbol: String
}

/// The relocation and symbol tables of a relocatable file, still in the file's form.
struct RelocationTables: Sendable {
  struct Table: Sendable {
    var entries: ImageBytes
    var symbols: ImageBytes
    var names: ImageBytes
    var hasAddends: Bool
  }
  /// By the section whose bytes are relocated.
  var tables: [Int: [Table]] = [:]
  var is64 = true
  /// For each section header of the file, its place in the image.
  var places: [Int?] = []
}

extension KernelImage {
  /// The relocations of a section of a relocatable file, by offset; none for other images.
  ///
  /// Entries that reach outside their section or tables are left out.
  public func relocationTargets(section: Int) -> [RelocationTarget] {
    guard sections.indices.contains(section) else { return [] }
    var targets: [RelocationTarget] = []
    for table in relocations.tables[section] ?? [] {
      var decoder = RelocationDecoder(
        table: table, section: sections[section], is64: relocations.is64,
        places: relocations.places, sections: sections)
      decoder.decode(into: &targets)
    }
    // The order of equal offsets is the file's: several relocations may build one field.
    return targets.enumerated().sorted {
      ($0.element.offset, $0.offset) < ($1.element.offset, $1.offset)
    }
    .map(\.element)
  }
}

/// Decodes the entries of one table (System V ABI, x86-64 and i386 supplements).
private struct RelocationDecoder {
  var table: RelocationTables.Table
  var section: ImageSection
  var is64: Bool
  var places: [Int?]
  var sections: [ImageSection]
  /// Bytes of names that may yet be copied: a hostile table names one long string again and again.
  var nameBudget = 0

  mutating func decode(into targets: inout [RelocationTarget]) {
    let word = is64 ? 8 : 4
    let size = table.hasAddends ? 3 * word : 2 * word
    nameBudget = table.entries.count * 4 + 1 << 20
    for position in stride(from: 0, through: table.entries.count - size, by: size) {
      guard let offset = unsigned(table.entries, position),
        let info = unsigned(table.entries, position + word), offset < section.size
      else { continue }
      let addend =
        table.hasAddends
        ? signed(table.entries, position + 2 * word)
        : section.bytes.load(at: offset, as: Int32.self).map(Int64.init)
      targets.append(
        target(
          offset: offset, type: is64 ? UInt32(truncatingIfNeeded: info) : UInt32(info & 0xff),
          symbol: is64 ? info >> 32 : info >> 8, addend: addend ?? 0))
    }
  }

  private mutating func target(
    offset: UInt64, type: UInt32, symbol index: UInt64, addend: Int64
  ) -> RelocationTarget {
    var target = RelocationTarget(
      offset: offset, type: type, targetSection: nil, targetOffset: addend, addend: addend,
      symbol: "")
    let size: UInt64 = is64 ? 24 : 16
    // The product cannot overflow: the index has at most 32 bits.
    let position = index * size
    guard index > 0, let entry = table.symbols.slice(position, count: size),
      let name: UInt32 = entry.load(0), let info: UInt8 = entry.load(is64 ? 4 : 12),
      let home: UInt16 = entry.load(is64 ? 6 : 14), let value = unsigned(entry, is64 ? 8 : 4)
    else { return target }
    if nameBudget > 0 {
      target.symbol = table.names.string(at: Int(name), limit: 4096) ?? ""
      nameBudget -= target.symbol.utf8.count
    }
    target.targetOffset = Int64(bitPattern: value) &+ addend
    if places.indices.contains(Int(home)), let place = places[Int(home)] {
      target.targetSection = place
      if info & 15 == 3, target.symbol.isEmpty { target.symbol = sections[place].name }
    }
    return target
  }

  private func unsigned(_ bytes: ImageBytes, _ offset: Int) -> UInt64? {
    is64 ? bytes.load(offset) : bytes.load(offset, as: UInt32.self).map(UInt64.init)
  }

  private func signed(_ bytes: ImageBytes, _ offset: Int) -> Int64? {
    is64 ? bytes.load(offset) : bytes.load(offset, as: Int32.self).map(Int64.init)
  }
}
