// The symbol table of a file with debugging information. Compilers cut functions into parts and clone
// them (`f.cold`, `f.constprop.0`), and the entries name the function in the source; which of the
// parts an address is in, only the symbol table says.

import CElfutils

/// Names for addresses, out of an ELF symbol table.
struct DwarfSymbols {
  /// The longest name that is believed, and the most bytes of names for one batch.
  private static let nameLimit = 1 << 14
  private static let textLimit = 16 << 20

  private var table = UnsafeRawBufferPointer(start: nil, count: 0)
  private var names = UnsafeRawBufferPointer(start: nil, count: 0)
  private var is64 = true
  private var sectionBases: [UInt64] = []

  /// No symbols.
  init() {}

  init(_ elf: DwarfElf, sectionBases: [UInt64]) throws(ImageError) {
    guard let index = elf.sections.firstIndex(where: { $0.type == UInt32(SHT_SYMTAB) }) else {
      return
    }
    table = try elf.storedBytes(of: index)
    names = try elf.storedBytes(of: elf.sections[index].link)
    is64 = elf.is64
    self.sectionBases = sectionBases
  }

  /// A symbol that an address may belong to.
  private struct Candidate {
    var address: UInt64
    var size: UInt64
    var name: Int

    /// Later in the file wins where all else is equal.
    func isBelowOrLike(_ other: Self) -> Bool { (address, size) <= (other.address, other.size) }
  }

  /// For each of some ascending addresses the name of the nearest symbol that begins at or before it,
  /// unless that symbol has a size and ends before it.
  ///
  /// Of several at one place the largest counts, of those the last: as llvm-symbolizer does.
  func names(of addresses: [UInt64]) -> [String?] {
    var nearest: [Candidate?] = Array(repeating: nil, count: addresses.count)
    forEachSymbol { symbol in
      // Enough to note it at the first address behind it; later ones look back.
      let index = addresses[...].firstIndex(notBelow: symbol.address)
      guard index < addresses.endIndex else { return }
      if nearest[index]?.isBelowOrLike(symbol) ?? true { nearest[index] = symbol }
    }
    var known: [Int: String] = [:]
    var text = 0
    var last: Candidate?
    return addresses.indices.map { index in
      last = nearest[index] ?? last
      guard let symbol = last,
        symbol.size == 0 || addresses[index] - symbol.address < symbol.size
      else { return nil }
      if let name = known[symbol.name] { return name }
      guard text <= Self.textLimit, let name = name(at: symbol.name) else { return nil }
      text += name.utf8.count
      known[symbol.name] = name
      return name
    }
  }

  /// Calls `body` with each symbol that stands for code or data in a section.
  private func forEachSymbol(_ body: (Candidate) -> Void) {
    var cursor = DwarfCursor(table)
    while !cursor.isAtEnd, !cursor.failed {
      let name = Int(cursor.u32())
      var address: UInt64 = 0
      var size: UInt64 = 0
      if !is64 {
        address = UInt64(cursor.u32())
        size = UInt64(cursor.u32())
      }
      let type = cursor.u8() & 15
      cursor.skip(1)  // st_other
      let section = cursor.u16()
      if is64 {
        address = cursor.u64()
        size = cursor.u64()
      }
      // STT_NOTYPE, STT_OBJECT, STT_FUNC, STT_GNU_IFUNC; neither undefined nor absolute.
      guard !cursor.failed, name != 0, [0, 1, 2, 10].contains(type), section != 0,
        section < 0xff00 || section == 0xffff
      else { continue }
      if !sectionBases.isEmpty {
        guard sectionBases.indices.contains(Int(section)), sectionBases[Int(section)] != 0 else {
          continue
        }
        address &+= sectionBases[Int(section)]
      }
      body(Candidate(address: address, size: size, name: name))
    }
  }

  private func name(at offset: Int) -> String? {
    guard offset < names.count else { return nil }
    let rest = names[offset...].prefix(Self.nameLimit)
    guard let end = rest.firstIndex(of: 0) else { return nil }
    return String(decoding: rest[..<end], as: UTF8.self)
  }
}
