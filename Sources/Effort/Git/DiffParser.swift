// The hunks of `git diff-tree -p -U0` over trees whose names are numbers. Only headers are read;
// contents are skipped by the lengths that the headers declare, since a line of a file can look like
// any header.

/// A contiguous change: lines of the old and the new text, numbered from 1.
struct Hunk: Sendable, Equatable {
  var oldStart: Int
  var oldCount: Int
  var newStart: Int
  var newCount: Int
}

/// Reads a diff piece by piece.
struct DiffParser {
  /// The hunks of each pair.
  private(set) var hunks: [Int: [Hunk]] = [:]
  /// Pairs that git takes for binary.
  private(set) var binary: Set<Int> = []
  private(set) var fault: String?

  private var number: Int?
  private var line: [UInt8] = []
  private var oldLeft = 0
  private var newLeft = 0
  /// Within a line of contents.
  private var isSkipping = false

  /// Takes a piece of the diff.
  mutating func feed(_ piece: UnsafeRawBufferPointer) {
    var rest = piece
    while !rest.isEmpty, fault == nil {
      if !isSkipping, line.isEmpty, oldLeft + newLeft > 0 { beginContent(rest[0]) }
      let count = rest.firstIndex(of: 0x0A) ?? rest.count
      if !isSkipping {
        // A header is short; a longer one is the rest of a function's line, which nobody needs.
        line.append(contentsOf: rest.prefix(min(count, max(0, 512 - line.count))))
      }
      guard count < rest.count else { return }
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count + 1))
      if isSkipping { isSkipping = false } else { header() }
      line.removeAll(keepingCapacity: true)
    }
  }

  /// Ends the diff; a hunk that is not whole is a fault.
  mutating func end() {
    if oldLeft + newLeft > 0, fault == nil { fault = "the diff ends within a hunk" }
  }

  private mutating func beginContent(_ mark: UInt8) {
    isSkipping = true
    switch mark {
    case UInt8(ascii: "-") where oldLeft > 0: oldLeft -= 1
    case UInt8(ascii: "+") where newLeft > 0: newLeft -= 1
    case UInt8(ascii: "\\"): break
    default: fault = "a line of a hunk expected, found one that begins with byte \(mark)"
    }
  }

  private mutating func header() {
    if line.starts(with: "@@ -".utf8) {
      guard let number, let hunk = Self.hunk(line) else {
        fault =
          "a hunk's header expected, found `\(String(decoding: line.prefix(80), as: UTF8.self))`"
        return
      }
      hunks[number, default: []].append(hunk)
      oldLeft = hunk.oldCount
      newLeft = hunk.newCount
    } else if line.starts(with: "diff --git a/".utf8) {
      let digits = line.dropFirst(13).prefix { $0 != 0x20 }
      number = Int(String(decoding: digits, as: UTF8.self))
    } else if line.starts(with: "Binary files ".utf8), let number {
      binary.insert(number)
    }
  }

  /// `@@ -12,3 +15 @@`; a count of one is left out.
  static func hunk(_ line: [UInt8]) -> Hunk? {
    let text = String(decoding: line.prefix(100), as: UTF8.self)
    let fields = text.split(separator: " ")
    guard fields.count >= 4, fields[0] == "@@", fields[3] == "@@",
      let old = range(fields[1], "-"), let new = range(fields[2], "+")
    else { return nil }
    return Hunk(oldStart: old.0, oldCount: old.1, newStart: new.0, newCount: new.1)
  }

  private static func range(_ field: Substring, _ mark: Character) -> (Int, Int)? {
    guard field.first == mark else { return nil }
    let numbers = field.dropFirst().split(separator: ",", omittingEmptySubsequences: false)
    guard (1...2).contains(numbers.count), let start = Int(numbers[0]), start >= 0 else {
      return nil
    }
    guard numbers.count == 2 else { return (start, 1) }
    guard let count = Int(numbers[1]), count >= 0 else { return nil }
    return (start, count)
  }
}
