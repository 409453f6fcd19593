// Units of .debug_info: the headers that cut the section into compilation units (DWARF 5, 7.5.1).

/// The header of a unit, checked against the section.
struct DwarfUnit {
  /// The most units of one file; the kernel has about 3,000, the largest programs some 100,000.
  static let limit = 1 << 20

  /// Where the unit begins in .debug_info.
  var offset: Int
  /// Where its first entry begins.
  var firstEntry: Int
  /// Where it ends.
  var end: Int
  var version: UInt8
  /// Offsets have 8 bytes (64-bit DWARF).
  var isWide: Bool
  var addressSize: UInt8
  var abbreviations: UInt64
  /// The unit holds code, as type units do not.
  var holdsCode: Bool
  /// The unit is a skeleton: its entries are in a .dwo file.
  var isSkeleton: Bool

  var offsetSize: Int { isWide ? 8 : 4 }

  /// The units of a file, in order.
  ///
  /// Units of versions that this reader does not know are left out and counted.
  static func all(in file: DwarfFile) throws(ImageError) -> (units: [Self], unknown: Int) {
    var units: [Self] = []
    var unknown = 0
    var cursor = DwarfCursor(file.info.bytes)
    while !cursor.isAtEnd {
      let start = cursor.offset
      let (length, isWide) = cursor.initialLength()
      // Up to three bytes may pad the section; they hold no length.
      if cursor.failed { break }
      if length == 0 { continue }
      guard !cursor.failed, length <= UInt64(file.info.bytes.count - cursor.offset) else {
        throw file.malformed(
          "a unit inside the \(file.info.bytes.count) bytes of .debug_info",
          "one of \(length) bytes at offset \(start)")
      }
      let end = cursor.offset + Int(length)
      if let unit = try read(at: start, end: end, isWide: isWide, from: cursor, in: file) {
        guard units.count < limit else {
          throw file.malformed("at most \(limit) units", "more")
        }
        units.append(unit)
      } else {
        unknown += 1
      }
      cursor.seek(to: end)
    }
    return (units, unknown)
  }

  private static func read(
    at start: Int, end: Int, isWide: Bool, from position: DwarfCursor, in file: DwarfFile
  ) throws(ImageError) -> Self? {
    var cursor = position
    let version = cursor.u16()
    guard (2...5).contains(version) else { return nil }
    let width = isWide ? 8 : 4
    var kind: UInt8 = 1
    var addressSize: UInt8 = 0
    if version >= 5 {
      kind = cursor.u8()
      addressSize = cursor.u8()
    }
    let place = cursor.offset
    let abbreviations = file.info.resolve(cursor.unsigned(size: width), at: place)
    if version < 5 { addressSize = cursor.u8() }
    switch kind {
    case 1, 3: break  // DW_UT_compile, DW_UT_partial
    case 4, 5: cursor.skip(8)  // DW_UT_skeleton, DW_UT_split_compile: the other file's id
    default: cursor.skip(8 + width)  // DW_UT_type, DW_UT_split_type: signature and offset
    }
    guard !cursor.failed, cursor.offset <= end else {
      throw file.malformed(
        "a whole header of the unit at .debug_info offset \(start)", "\(end - start) bytes")
    }
    guard addressSize == 4 || addressSize == 8 else {
      throw file.malformed(
        "addresses of 4 or 8 bytes in the unit at .debug_info offset \(start)",
        "\(addressSize)")
    }
    return Self(
      offset: start, firstEntry: cursor.offset, end: end, version: UInt8(version),
      isWide: isWide, addressSize: addressSize, abbreviations: abbreviations,
      holdsCode: kind == 1 || kind == 3 || kind == 4, isSkeleton: kind == 4)
  }
}

extension DwarfCursor {
  /// The length in front of a unit or table, and whether its offsets have 8 bytes (DWARF 5, 7.4).
  mutating func initialLength() -> (length: UInt64, isWide: Bool) {
    let short = u32()
    return short == 0xffff_ffff ? (u64(), true) : (UInt64(short), false)
  }
}
