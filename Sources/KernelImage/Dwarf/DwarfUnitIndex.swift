// Which unit covers which address: .debug_aranges (DWARF 5, 6.1.2), and for units that it does not
// list their own ranges.

/// The address ranges of a file's units.
struct DwarfUnitIndex {
  private struct Entry {
    var range: Range<UInt64>
    var unit: Int
    /// The highest end of this entry and all before it.
    var reach: UInt64 = 0
  }

  /// The most overlapping ranges that are compared for one address.
  private static let overlapLimit = 64
  /// The most ranges of one file.
  private static let limit = 1 << 22

  private var entries: [Entry] = []
  /// Units whose ranges are in the index.
  private var listed: Set<Int> = []

  init(_ reader: DwarfReader) throws(ImageError) {
    try readSection(reader)
    sort()
  }

  /// Where the ranges of units begin.
  var beginnings: [UInt64] { entries.map(\.range.lowerBound) }

  /// Units and the positions in `addresses` (which ascend) that they cover.
  mutating func group(
    _ addresses: [UInt64], _ reader: DwarfReader
  ) throws(ImageError) -> [(unit: Int, positions: [Int])] {
    var units = addresses.map { unit(covering: $0) }
    if units.contains(nil), listed.count < reader.units.count {
      // What the section does not list has to be asked one by one.
      try readUnits(reader)
      units = addresses.map { unit(covering: $0) }
    }
    var groups: [Int: [Int]] = [:]
    for (position, unit) in units.enumerated() {
      if let unit { groups[unit, default: []].append(position) }
    }
    return groups.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  /// Of several units that claim an address, the first in the file.
  private func unit(covering address: UInt64) -> Int? {
    var low = 0
    var high = entries.count
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].range.lowerBound <= address { low = middle + 1 } else { high = middle }
    }
    var best: Int?
    for index in stride(from: low - 1, through: max(0, low - Self.overlapLimit), by: -1) {
      guard entries[index].reach > address else { break }
      if entries[index].range.contains(address) {
        best = min(best ?? .max, entries[index].unit)
      }
    }
    return best
  }

  private mutating func sort() {
    entries.sort {
      ($0.range.lowerBound, $0.range.upperBound, $0.unit)
        < ($1.range.lowerBound, $1.range.upperBound, $1.unit)
    }
    var reach: UInt64 = 0
    for index in entries.indices {
      reach = max(reach, entries[index].range.upperBound)
      entries[index].reach = reach
    }
  }

  private mutating func append(
    _ low: UInt64, _ high: UInt64, unit: Int, _ reader: DwarfReader
  ) throws(ImageError) {
    guard low < high else { return }
    guard entries.count < Self.limit else {
      throw reader.file.malformed("at most \(Self.limit) ranges of units", "more")
    }
    entries.append(Entry(range: low..<high, unit: unit))
  }

  private mutating func readUnits(_ reader: DwarfReader) throws(ImageError) {
    var ranges: [Range<UInt64>] = []
    for index in reader.units.indices where reader.units[index].holdsCode {
      guard listed.insert(index).inserted else { continue }
      let context = try reader.context(ofUnit: index)
      try reader.readRanges(context.span, in: context, into: &ranges)
      for range in ranges {
        try append(range.lowerBound, range.upperBound, unit: index, reader)
      }
    }
    // All units have been asked; none is asked again.
    listed = Set(reader.units.indices)
    sort()
  }

  private mutating func readSection(_ reader: DwarfReader) throws(ImageError) {
    let section = reader.file.aranges
    var cursor = DwarfCursor(section.bytes)
    while !cursor.isAtEnd {
      let start = cursor.offset
      let (length, isWide) = cursor.initialLength()
      guard !cursor.failed, length <= UInt64(section.bytes.count - cursor.offset) else {
        throw reader.file.malformed(
          "a table inside .debug_aranges", "one of \(length) bytes at offset \(start)")
      }
      let end = cursor.offset + Int(length)
      try readTable(cursor, from: start, to: end, isWide: isWide, reader)
      cursor.seek(to: end)
    }
  }

  private mutating func readTable(
    _ position: DwarfCursor, from start: Int, to end: Int, isWide: Bool, _ reader: DwarfReader
  ) throws(ImageError) {
    let section = reader.file.aranges
    var cursor = position
    let version = cursor.u16()
    let place = cursor.offset
    let offset = section.resolve(cursor.unsigned(size: isWide ? 8 : 4), at: place)
    let width = Int(cursor.u8())
    let segment = cursor.u8()
    // Only offsets where a unit begins are believed.
    guard version == 2, width == 4 || width == 8, segment == 0, let offset = Int(exactly: offset),
      let unit = reader.unitIndex(containing: offset), reader.units[unit].offset == offset
    else { return }
    // Pairs are aligned to their size from the beginning of the table.
    let pair = 2 * width
    cursor.seek(to: start + (cursor.offset - start + pair - 1) / pair * pair)
    while !cursor.failed, cursor.offset <= end - pair {
      let place = cursor.offset
      let low = section.resolve(cursor.unsigned(size: width), at: place)
      let length = cursor.unsigned(size: width)
      if low == 0, length == 0 { break }
      let (high, overflow) = low.addingReportingOverflow(length)
      try append(low, overflow ? .max : high, unit: unit, reader)
    }
    // A table without ranges says that the unit has no code.
    listed.insert(unit)
  }
}
