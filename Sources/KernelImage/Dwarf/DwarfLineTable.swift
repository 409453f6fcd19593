// The header of a line program: directories and files (DWARF 5, 6.2.4). The program itself runs in
// DwarfLineProgram.swift.

/// A string of a line table, found but not yet read.
struct DwarfLineString {
  enum Place {
    case lines
    case strings
    case lineStrings
  }
  var place: Place
  var offset: UInt64
}

/// The header of one line program.
struct DwarfLineTable {
  /// The most directories or files of one table.
  static let limit = 1 << 20

  var version: UInt16 = 0
  var addressSize = 8
  var minimumLength: UInt64 = 1
  var lineBase = 0
  var lineRange = 0
  var opcodeBase = 0
  /// Operands of each standard opcode, from opcode 1.
  var operandCounts: [UInt8] = []
  var directories: [DwarfLineString] = []
  var files: [(name: DwarfLineString, directory: UInt64)] = []
  /// Where the instructions stand in .debug_line.
  var program = 0..<0

  init(at offset: UInt64, of unit: DwarfUnit, in reader: DwarfReader) throws(ImageError) {
    let section = reader.file.lines
    var cursor = DwarfCursor(section.bytes)
    cursor.seek(to: offset)
    let (length, isWide) = cursor.initialLength()
    let width = isWide ? 8 : 4
    guard !cursor.failed, length <= UInt64(section.bytes.count - cursor.offset) else {
      throw reader.file.malformed(
        "a line table inside .debug_line", "\(length) bytes at offset \(offset)")
    }
    let end = cursor.offset + Int(length)
    version = cursor.u16()
    guard (2...5).contains(version) else {
      throw ImageError(
        .unsupported, path: reader.file.path,
        expected: "a line table of version 2 to 5 at offset \(offset)", found: "version \(version)")
    }
    addressSize = Int(unit.addressSize)
    if version >= 5 {
      addressSize = Int(cursor.u8())
      cursor.skip(1)  // segment_selector_size
    }
    let headerLength = cursor.unsigned(size: width)
    let (start, overflow) = UInt64(cursor.offset).addingReportingOverflow(headerLength)
    minimumLength = UInt64(cursor.u8())
    if version >= 4 { cursor.skip(1) }  // maximum_operations_per_instruction: 1 on x86
    cursor.skip(1)  // default_is_stmt
    lineBase = Int(Int8(bitPattern: cursor.u8()))
    lineRange = Int(cursor.u8())
    opcodeBase = Int(cursor.u8())
    for _ in 1..<max(opcodeBase, 1) { operandCounts.append(cursor.u8()) }
    guard !cursor.failed, !overflow, start <= UInt64(end), addressSize == 4 || addressSize == 8
    else {
      throw reader.file.malformed("a whole line table header at offset \(offset)", "a broken one")
    }
    program = Int(start)..<end
    try readFiles(&cursor, isWide: isWide, reader)
    guard !cursor.failed, cursor.offset <= program.lowerBound else {
      throw reader.file.malformed(
        "file names inside the line table header at offset \(offset)", "names beyond it")
    }
    try reader.charge(directories.count + files.count)
  }

  private mutating func readFiles(
    _ cursor: inout DwarfCursor, isWide: Bool, _ reader: DwarfReader
  ) throws(ImageError) {
    if version >= 5 {
      directories = try readEntries(&cursor, isWide: isWide, reader).map(\.name)
      files = try readEntries(&cursor, isWide: isWide, reader)
      return
    }
    while let name = Self.inlineString(&cursor) {
      directories.append(name)
      try checkCount(directories.count, reader)
    }
    while let name = Self.inlineString(&cursor) {
      files.append((name, cursor.uleb()))
      _ = cursor.uleb()  // time
      _ = cursor.uleb()  // size
      try checkCount(files.count, reader)
    }
  }

  /// The string at the cursor; `nil` for the empty one that ends a list.
  private static func inlineString(_ cursor: inout DwarfCursor) -> DwarfLineString? {
    let start = cursor.offset
    cursor.skipString()
    guard !cursor.failed, cursor.offset > start + 1 else { return nil }
    return DwarfLineString(place: .lines, offset: UInt64(start))
  }

  /// A list of version 5, in which the file itself says what each entry consists of.
  private func readEntries(
    _ cursor: inout DwarfCursor, isWide: Bool, _ reader: DwarfReader
  ) throws(ImageError) -> [(name: DwarfLineString, directory: UInt64)] {
    let format = (0..<cursor.u8()).map { _ in (type: cursor.uleb(), form: cursor.uleb()) }
    let count = cursor.uleb()
    // Without a format an entry has no bytes, and any count would be believed.
    guard count <= UInt64(Self.limit), !format.isEmpty || count == 0 else {
      throw reader.file.malformed(
        "at most \(Self.limit) files in a line table", "\(count) of \(format.count) fields")
    }
    var entries: [(name: DwarfLineString, directory: UInt64)] = []
    for _ in 0..<count {
      var name = DwarfLineString(place: .lines, offset: .max)
      var directory: UInt64 = 0
      for (type, form) in format {
        let place = cursor.offset
        if type == 1 {  // DW_LNCT_path
          guard let string = Self.string(form, &cursor, isWide: isWide, reader) else {
            throw reader.file.malformed("a string as a file's name", "form \(form)")
          }
          name = string
        } else if form == UInt64(DwarfFormCode.data16) {
          cursor.skip(16)
        } else if form == UInt64(DwarfFormCode.block) {
          cursor.skip(cursor.uleb())
        } else if Self.string(form, &cursor, isWide: isWide, reader) == nil {
          let value = Self.number(form, &cursor)
          guard cursor.offset > place else {
            throw reader.file.malformed("a number in a file's entry", "form \(form)")
          }
          if type == 2 { directory = value }  // DW_LNCT_directory_index
        }
      }
      guard !cursor.failed else { break }
      entries.append((name, directory))
    }
    return entries
  }

  private static func string(
    _ form: UInt64, _ cursor: inout DwarfCursor, isWide: Bool, _ reader: DwarfReader
  ) -> DwarfLineString? {
    let start = cursor.offset
    switch UInt16(clamping: form) {
    case DwarfFormCode.string:
      cursor.skipString()
      return DwarfLineString(place: .lines, offset: UInt64(start))
    case DwarfFormCode.lineStrp, DwarfFormCode.strp:
      let offset = reader.file.lines.resolve(cursor.unsigned(size: isWide ? 8 : 4), at: start)
      return DwarfLineString(
        place: form == UInt64(DwarfFormCode.strp) ? .strings : .lineStrings, offset: offset)
    default: return nil
    }
  }

  private static func number(_ form: UInt64, _ cursor: inout DwarfCursor) -> UInt64 {
    switch UInt16(clamping: form) {
    case DwarfFormCode.data1: UInt64(cursor.u8())
    case DwarfFormCode.data2: UInt64(cursor.u16())
    case DwarfFormCode.data4: UInt64(cursor.u32())
    case DwarfFormCode.data8: cursor.u64()
    case DwarfFormCode.udata: cursor.uleb()
    default: 0
    }
  }

  private func checkCount(_ count: Int, _ reader: DwarfReader) throws(ImageError) {
    guard count <= Self.limit else {
      throw reader.file.malformed("at most \(Self.limit) files in a line table", "more")
    }
  }
}
