// One .debug_* section as the readers see it: its bytes, and in a kernel module the relocations that
// still have to be applied to them.

/// The bytes of a section with the relocations that belong to them.
struct DwarfSection {
  var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
  /// Present in relocatable files only.
  var relocations: DwarfRelocations?

  /// What stands at `offset`, where the file stores `raw`.
  @inline(__always)
  func resolve(_ raw: UInt64, at offset: Int) -> UInt64 {
    guard let relocations else { return raw }
    return relocations.resolve(raw, at: offset)
  }
}

/// The relocations of one section of a relocatable file.
///
/// A module's .debug_info may have a million relocations, and an audit needs a few thousand: they
/// are looked up by offset where a value is read, and never applied to the bytes.
struct DwarfRelocations {
  /// The relocation entries, as in the file.
  let entries: UnsafeRawBufferPointer
  /// Entries carry an addend of their own (`SHT_RELA`).
  let hasAddends: Bool
  let is64: Bool
  /// The symbol table that the entries refer to.
  let symbols: UnsafeRawBufferPointer
  /// Address given to each section of the file; see ``DwarfFile``.
  let sectionBases: [UInt64]
  /// Entry numbers by offset, where the file does not have them in order.
  private let order: [UInt32]

  init(
    entries: UnsafeRawBufferPointer, hasAddends: Bool, is64: Bool,
    symbols: UnsafeRawBufferPointer, sectionBases: [UInt64]
  ) {
    self.entries = entries
    self.hasAddends = hasAddends
    self.is64 = is64
    self.symbols = symbols
    self.sectionBases = sectionBases
    let size = Self.entrySize(hasAddends: hasAddends, is64: is64)
    let count = Int(UInt32(clamping: entries.count / size))
    let offset = { (index: Int) -> UInt64 in
      var cursor = DwarfCursor(entries, at: index * size)
      return cursor.unsigned(size: is64 ? 8 : 4)
    }
    var previous: UInt64 = 0
    var isSorted = true
    for index in 0..<count {
      let next = offset(index)
      if next < previous {
        isSorted = false
        break
      }
      previous = next
    }
    order =
      isSorted
      ? [] : (0..<UInt32(count)).sorted { (offset(Int($0)), $0) < (offset(Int($1)), $1) }
  }

  private static func entrySize(hasAddends: Bool, is64: Bool) -> Int {
    (is64 ? 8 : 4) * (hasAddends ? 3 : 2)
  }

  /// The value at `offset` after relocation; `raw` where no relocation applies.
  func resolve(_ raw: UInt64, at offset: Int) -> UInt64 {
    let size = Self.entrySize(hasAddends: hasAddends, is64: is64)
    let width = is64 ? 8 : 4
    let position = { (index: Int) in (order.isEmpty ? index : Int(order[index])) * size }
    var low = 0
    var high = order.isEmpty ? entries.count / size : order.count
    while low < high {
      let middle = (low + high) / 2
      var cursor = DwarfCursor(entries, at: position(middle))
      if cursor.unsigned(size: width) < UInt64(offset) { low = middle + 1 } else { high = middle }
    }
    guard low < (order.isEmpty ? entries.count / size : order.count) else { return raw }
    var cursor = DwarfCursor(entries, at: position(low))
    guard cursor.unsigned(size: width) == UInt64(offset) else { return raw }
    let info = cursor.unsigned(size: width)
    let type = is64 ? info & 0xffff_ffff : info & 0xff
    let symbol = is64 ? info >> 32 : info >> 8
    // R_X86_64_64, _32 and _32S; R_386_32. Debugging information uses no other for what is read here.
    guard is64 ? type == 1 || type == 10 || type == 11 : type == 1 else { return raw }
    let addend = hasAddends ? cursor.unsigned(size: width) : raw
    let value = symbolValue(symbol) &+ addend
    return is64 ? value : value & 0xffff_ffff
  }

  /// The address of a symbol: its section's base and its value.
  private func symbolValue(_ index: UInt64) -> UInt64 {
    let size: UInt64 = is64 ? 24 : 16
    let (start, overflow) = index.multipliedReportingOverflow(by: size)
    guard !overflow, let start = Int(exactly: start) else { return 0 }
    var cursor = DwarfCursor(symbols, at: start)
    cursor.skip(4)  // st_name
    let section: Int
    let value: UInt64
    if is64 {
      cursor.skip(2)  // st_info, st_other
      section = Int(cursor.u16())
      value = cursor.u64()
    } else {
      value = UInt64(cursor.u32())
      cursor.skip(6)  // st_size, st_info, st_other
      section = Int(cursor.u16())
    }
    guard !cursor.failed else { return 0 }
    return sectionBases.indices.contains(section) ? sectionBases[section] &+ value : value
  }
}
