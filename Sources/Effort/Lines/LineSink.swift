// Where the scanner puts its lines: counted, or kept one by one for the hunks of a diff.

/// What stands on a line.
enum LineClass: UInt8 {
  case blank
  case comment
  case code
}

/// Takes lines in their order.
protocol LineSink {
  mutating func add(_ line: LineClass)
}

extension LineCounts: LineSink {
  mutating func add(_ line: LineClass) {
    raw += 1
    if line != .blank { nonblank += 1 }
    if line == .code { code += 1 }
  }
}

/// The class of each line of a text.
struct LineClasses: LineSink, Sendable {
  private var classes: [UInt8] = []
  private(set) var counts = LineCounts.zero

  mutating func add(_ line: LineClass) {
    classes.append(line.rawValue)
    counts.add(line)
  }

  /// The lines of a hunk's side, as its header numbers them (from 1).
  ///
  /// Numbers past the end are those of a text that changed meanwhile; they count as they are raw.
  func counts(from start: Int, count: Int) -> LineCounts {
    var result = LineCounts(raw: max(0, count), nonblank: 0, code: 0)
    let first = min(max(0, start - 1), classes.count)
    let end = first + min(max(0, count), classes.count - first)
    for value in classes[first..<end] {
      if value != LineClass.blank.rawValue { result.nonblank += 1 }
      if value == LineClass.code.rawValue { result.code += 1 }
    }
    return result
  }
}
