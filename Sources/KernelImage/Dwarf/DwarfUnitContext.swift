// A unit that is being read: its header, its abbreviations, and what its first entry says.

/// What readers must know of a unit to understand the values inside it.
struct DwarfUnitContext {
  let unit: DwarfUnit
  let table: DwarfAbbreviationTable
  /// The directory that the compiler ran in.
  private(set) var directory: String?
  private(set) var name: String?
  /// Offset of the unit's line program.
  private(set) var lineProgram: UInt64?
  /// The base of the unit's range lists before version 5.
  private(set) var lowPC: UInt64 = 0
  private(set) var span = DwarfCodeSpan()
  /// Functions stand at the top of the unit only, as in C.
  private(set) var isFlat = false
  private(set) var stringOffsetsBase: UInt64?
  private(set) var addressBase: UInt64?
  private(set) var rangeListsBase: UInt64?

  init(_ unit: DwarfUnit, table: DwarfAbbreviationTable, in reader: DwarfReader) throws(ImageError)
  {
    self.unit = unit
    self.table = table
    guard let (abbreviation, start) = try reader.entry(at: unit.firstEntry, in: self) else {
      return
    }
    var values: [UInt16: DwarfValue] = [:]
    var cursor = start
    try reader.forEachAttribute(of: abbreviation, from: &cursor, in: self) { name, value in
      values[name] = value
    }
    // The bases come first: the other values may be indices that count from them.
    stringOffsetsBase = values[DwarfAttribute.stringOffsetsBase]?.number
    addressBase = values[DwarfAttribute.addressBase]?.number
    rangeListsBase = values[DwarfAttribute.rangeListsBase]?.number
    lineProgram = values[DwarfAttribute.statementList]?.number
    isFlat = values[DwarfAttribute.language]?.number.map(dwarfLanguageIsFlat) ?? false
    directory = try reader.string(values[DwarfAttribute.compilationDirectory], in: self)
    name = try reader.string(values[DwarfAttribute.name], in: self)
    span = DwarfCodeSpan(
      low: values[DwarfAttribute.lowPC] ?? .absent, high: values[DwarfAttribute.highPC] ?? .absent,
      ranges: values[DwarfAttribute.ranges] ?? .absent)
    lowPC = reader.address(span.low, in: self) ?? 0
  }

  /// A cursor in .debug_info that cannot leave the unit.
  @inline(__always)
  func cursor(in file: DwarfFile, at offset: Int) -> DwarfCursor {
    // `unit.end` was checked against the section when the unit was read.
    DwarfCursor(
      UnsafeRawBufferPointer(rebasing: file.info.bytes[..<unit.end]), at: offset)
  }
}

extension DwarfReader {
  /// The longest name or path that is believed.
  private static let stringLimit = 1 << 14

  /// The text of a value that is a string.
  func string(_ value: DwarfValue?, in context: DwarfUnitContext) throws(ImageError) -> String? {
    switch value {
    case .inlineString(let offset): try text(in: file.info, at: UInt64(offset))
    case .string(let offset): try text(in: file.strings, at: offset)
    case .lineString(let offset): try text(in: file.lineStrings, at: offset)
    case .stringIndex(let index):
      try indexedString(index, in: context)
    default: nil
    }
  }

  private func indexedString(
    _ index: UInt64, in context: DwarfUnitContext
  ) throws(ImageError) -> String? {
    let width = context.unit.offsetSize
    // Without a base the offsets follow the table's header (DWARF 5, 7.26).
    let base = context.stringOffsetsBase ?? (context.unit.isWide ? 16 : 8)
    guard let place = Self.position(index, of: width, from: base) else { return nil }
    var cursor = DwarfCursor(file.stringOffsets.bytes, at: place)
    let offset = cursor.unsigned(size: width)
    guard !cursor.failed else { return nil }
    return try text(in: file.strings, at: file.stringOffsets.resolve(offset, at: place))
  }

  /// The text at an offset of a section, up to its zero byte.
  func text(in section: DwarfSection, at offset: UInt64) throws(ImageError) -> String? {
    guard let start = Int(exactly: offset), start < section.bytes.count else { return nil }
    let rest = section.bytes[start...].prefix(Self.stringLimit)
    let end = rest.firstIndex(of: 0)
    try charge((end ?? rest.endIndex) - start)
    guard let end else { return nil }
    try chargeText(end - start)
    return String(decoding: rest[..<end], as: UTF8.self)
  }

  /// The address of a value that is one.
  func address(_ value: DwarfValue, in context: DwarfUnitContext) -> UInt64? {
    switch value {
    case .address(let address): return address
    case .addressIndex(let index):
      let width = Int(context.unit.addressSize)
      let base = context.addressBase ?? 8
      guard let place = Self.position(index, of: width, from: base) else { return nil }
      var cursor = DwarfCursor(file.addresses.bytes, at: place)
      let raw = cursor.unsigned(size: width)
      return cursor.failed ? nil : file.addresses.resolve(raw, at: place)
    default: return nil
    }
  }

  /// `base + index * size`, where that is a number.
  static func position(_ index: UInt64, of size: Int, from base: UInt64) -> Int? {
    let (distance, overflow) = index.multipliedReportingOverflow(by: UInt64(size))
    let (sum, carry) = base.addingReportingOverflow(distance)
    return overflow || carry ? nil : Int(exactly: sum)
  }
}
