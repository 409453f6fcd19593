// One frame as it is found, before its path is shortened; and the making of frames from scopes and rows.

/// A function with the place in it that is meant.
struct SourceFrame: Sendable, Hashable {
  /// The linkage name, else the name; for the outermost frame the symbol's, where there is one.
  ///
  /// Empty where nothing names the function.
  var function: String
  /// In the outermost frame, the name that the debugging information has for it.
  var definition: String?
  var path: SourcePath?
  var line: Int?

  /// The frame as the audit reports it.
  var inlineFrame: InlineFrame {
    InlineFrame(function: function, file: path?.display, line: line)
  }
}

extension DwarfReader {
  /// The frames of ascending addresses of one unit, innermost first.
  func frames(of addresses: [UInt64], inUnit index: Int) throws(ImageError) -> [[SourceFrame]] {
    let context = try self.context(ofUnit: index)
    let scopes = try DwarfScopeWalk.run(addresses[...], in: context, self)
    var lines = try SourceLines(of: addresses, in: context, self)
    return try addresses.indices.map { position throws(ImageError) in
      try frames(of: scopes.chain(ofAddress: position), at: position, &lines, in: context)
    }
  }

  private func frames(
    of chain: [DwarfScope], at position: Int, _ lines: inout SourceLines,
    in context: DwarfUnitContext
  ) throws(ImageError) -> [SourceFrame] {
    let row = lines.rows[position]
    var path = try row.flatMap { row throws(ImageError) in try lines.path(row.file, context, self) }
    var line = row.flatMap { Self.line($0.line) }
    guard !chain.isEmpty else {
      return row == nil ? [] : [SourceFrame(function: "", path: path, line: line)]
    }
    var frames: [SourceFrame] = []
    for scope in chain {
      try chargeFrame()
      let name = try functionName(ofEntry: scope.entry, in: context)
      frames.append(SourceFrame(function: name, path: path, line: line))
      guard scope.isInlined else { break }
      // The next frame out stands where this function was called.
      let call = try self.call(ofEntry: scope.entry, in: context)
      path = try lines.path(call.file, context, self)
      line = Self.line(call.line)
    }
    return frames
  }

  /// Line 0 means that no line is to blame.
  private static func line(_ stored: UInt64) -> Int? {
    stored == 0 ? nil : Int(UInt32(exactly: stored) ?? 0)
  }
}

/// The rows of one unit's addresses, and the unit's paths as far as they were asked for.
struct SourceLines {
  let rows: [DwarfRow?]
  private let table: DwarfLineTable?
  private var paths: [UInt64: SourcePath?] = [:]

  init(
    of addresses: [UInt64], in context: DwarfUnitContext, _ reader: DwarfReader
  ) throws(ImageError) {
    guard let offset = context.lineProgram, !reader.file.lines.bytes.isEmpty else {
      table = nil
      rows = Array(repeating: nil, count: addresses.count)
      return
    }
    let table = try DwarfLineTable(at: offset, of: context.unit, in: reader)
    rows = try table.rows(for: addresses[...], in: reader)
    self.table = table
  }

  mutating func path(
    _ number: UInt64, _ context: DwarfUnitContext, _ reader: DwarfReader
  ) throws(ImageError) -> SourcePath? {
    if let known = paths[number] { return known }
    let path = try table?.path(ofFile: number, in: context, reader)
    paths[number] = .some(path)
    return path
  }
}
