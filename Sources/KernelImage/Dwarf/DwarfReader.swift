// What one thread needs to read entries: caches of abbreviations and names, and the count of work
// done. Range lists, line programs, scopes and names are extensions in files of their own.

/// Reads entries of one file on one thread.
final class DwarfReader {
  let file: DwarfFile
  let units: [DwarfUnit]
  /// Names of functions that were looked up, by the offset of their entry.
  var functionNames: [Int: String] = [:]
  private var contexts: [Int: DwarfUnitContext] = [:]
  private var tables: [TableKey: DwarfAbbreviationTable] = [:]
  private var work = 0
  private let workLimit: Int
  private var cachedWeight = 0
  private var textBytes = 0
  private var frameCount = 0

  /// Tables depend on the sizes that the unit's header gives.
  private struct TableKey: Hashable {
    var offset: UInt64
    var isWide: Bool
    var addressSize: UInt8
    var isVersion2: Bool
  }

  /// Caches are dropped when they reach this many units, or tables of so many attributes: memory
  /// stays bounded on any file.
  private static let cacheLimit = 64
  private static let cacheWeightLimit = 1 << 20
  /// The most bytes of names and paths that are kept; an audit of a kernel needs some hundred kB.
  private static let textLimit = 64 << 20
  /// The most frames that are made.
  private static let frameLimit = 1 << 21

  init(_ file: DwarfFile, units: [DwarfUnit]) {
    self.file = file
    self.units = units
    // Honest files are read about once; entries, range lists or line programs that many others
    // share can make a small file cost its square.
    workLimit = file.size * 3 + (1 << 24)
  }

  /// Counts work, and stops where a file has made more of it than its size explains.
  @inline(__always)
  func charge(_ amount: Int) throws(ImageError) {
    work &+= amount
    guard work <= workLimit else {
      throw file.malformed(
        "debugging information that is read in a few passes",
        "tables that lead back into each other after \(workLimit) steps")
    }
  }

  /// Counts text that is kept.
  func chargeText(_ count: Int) throws(ImageError) {
    textBytes += count
    guard textBytes <= Self.textLimit else {
      throw file.malformed("names and paths of at most \(Self.textLimit >> 20) MiB", "more")
    }
  }

  /// Counts one frame of the result.
  func chargeFrame() throws(ImageError) {
    frameCount += 1
    guard frameCount <= Self.frameLimit else {
      throw file.malformed("at most \(Self.frameLimit) frames of functions", "more")
    }
  }

  /// The unit that covers an offset of .debug_info.
  func unitIndex(containing offset: Int) -> Int? {
    var low = 0
    var high = units.count
    while low < high {
      let middle = (low + high) / 2
      if units[middle].offset <= offset { low = middle + 1 } else { high = middle }
    }
    guard low > 0, offset < units[low - 1].end else { return nil }
    return low - 1
  }

  /// A unit with its abbreviations and the attributes of its first entry.
  func context(ofUnit index: Int) throws(ImageError) -> DwarfUnitContext {
    if let known = contexts[index] { return known }
    let context = try DwarfUnitContext(units[index], table: table(of: units[index]), in: self)
    if contexts.count >= Self.cacheLimit { contexts.removeAll(keepingCapacity: true) }
    contexts[index] = context
    return context
  }

  private func table(of unit: DwarfUnit) throws(ImageError) -> DwarfAbbreviationTable {
    let key = TableKey(
      offset: unit.abbreviations, isWide: unit.isWide, addressSize: unit.addressSize,
      isVersion2: unit.version == 2)
    if let known = tables[key] { return known }
    let table = try DwarfAbbreviationTable(of: unit, in: file)
    try charge(table.weight)
    cachedWeight += table.weight
    if tables.count >= Self.cacheLimit || cachedWeight > Self.cacheWeightLimit {
      // Units hold on to their tables, so they go as well.
      tables.removeAll(keepingCapacity: true)
      contexts.removeAll(keepingCapacity: true)
      cachedWeight = table.weight
    }
    tables[key] = table
    return table
  }

  /// The entry at an offset: its abbreviation, and a cursor at its first attribute.
  ///
  /// `nil` for the entry of code 0 that ends a list of children.
  func entry(
    at offset: Int, in context: DwarfUnitContext
  ) throws(ImageError) -> (abbreviation: DwarfAbbreviation, cursor: DwarfCursor)? {
    guard offset >= context.unit.firstEntry, offset < context.unit.end else { return nil }
    var cursor = context.cursor(in: file, at: offset)
    let code = cursor.uleb()
    guard code != 0, !cursor.failed else { return nil }
    guard let abbreviation = context.table[code] else {
      throw unknownCode(code, at: offset)
    }
    return (abbreviation, cursor)
  }

  /// Calls `body` with each attribute of an entry.
  func forEachAttribute(
    of abbreviation: DwarfAbbreviation, from cursor: inout DwarfCursor,
    in context: DwarfUnitContext, _ body: (UInt16, DwarfValue) -> Void
  ) throws(ImageError) {
    try charge(abbreviation.attributes.count)
    for index in abbreviation.attributes {
      let spec = context.table.attributes[index]
      guard
        let value = DwarfForm.read(spec, in: context.unit, of: file.info, &cursor),
        !cursor.failed
      else { throw badAttribute(spec, before: cursor.offset) }
      body(spec.name, value)
    }
  }

  func unknownCode(_ code: UInt64, at offset: Int) -> ImageError {
    file.malformed(
      "an abbreviation for the entry at .debug_info offset \(offset)", "the unknown code \(code)")
  }

  func badAttribute(_ spec: DwarfAttributeSpec, before offset: Int) -> ImageError {
    file.malformed(
      "a whole attribute of a known form before .debug_info offset \(offset)",
      "attribute \(hex(spec.name)) of form \(hex(spec.form))")
  }

  private func hex(_ value: UInt16) -> String { "0x" + String(value, radix: 16) }
}
