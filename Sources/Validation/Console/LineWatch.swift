// Lines looked through while they come: those that must come in order, those that must not come.

/// A pattern made ready; not `Sendable`, since regular expressions are not.
struct LineMatcher {
  let pattern: LinePattern
  private let regex: Regex<AnyRegexOutput>?

  /// The reader has seen that the pattern is one; text that is none matches nothing.
  init(_ pattern: LinePattern) {
    self.pattern = pattern
    // An answer over the network has lines, too, and most often a newline at its end.
    regex = pattern.isLiteral ? nil : try? Regex(pattern.text).anchorsMatchLineEndings()
  }

  func matches(_ line: String) -> Bool {
    if pattern.isLiteral { return line.contains(pattern.text) }
    guard let regex else { return false }
    return (try? regex.firstMatch(in: line)) != nil
  }

  /// What the first group of the first match has.
  func firstGroup(in line: String) -> Substring? {
    guard let regex, let match = try? regex.firstMatch(in: line), match.count > 1 else {
      return nil
    }
    return match[1].substring
  }
}

/// A line of the console; its number counts from 1.
struct SeenLine: Sendable, Equatable {
  var number: Int
  var text: String
}

/// What became of a check's lines.
struct LineWatchResult: Sendable {
  /// For each pattern the line that met it, in its turn.
  var met: [SeenLine?]
  /// For each pattern the first line that it matches, in its turn or not.
  var first: [SeenLine?]
  /// The first line that must not be, with its pattern.
  var forbidden: (line: SeenLine, pattern: LinePattern)?

  var isSatisfied: Bool { met.allSatisfy { $0 != nil } }
}

/// Watches for the lines of one check.
struct LineWatch {
  /// What is kept of a line for messages.
  private static let longestText = 400

  private let lines: [LineMatcher]
  private let isUnordered: Bool
  private let never: [LineMatcher]
  private(set) var result: LineWatchResult
  private var next = 0
  /// The line that met the last pattern meets no other.
  private var lastLine = 0

  init(lines: [LinePattern], isUnordered: Bool = false, never: [LinePattern] = []) {
    self.lines = lines.map(LineMatcher.init)
    self.isUnordered = isUnordered
    self.never = never.map(LineMatcher.init)
    let none = [SeenLine?](repeating: nil, count: lines.count)
    result = LineWatchResult(met: none, first: none, forbidden: nil)
  }

  /// Looks at a line, which may be the beginning of one that goes on; whether it noted anything.
  mutating func look(at text: String, number: Int) -> Bool {
    var seen: SeenLine { SeenLine(number: number, text: String(text.prefix(Self.longestText))) }
    var isNoted = false
    if result.forbidden == nil, let matcher = never.first(where: { $0.matches(text) }) {
      result.forbidden = (seen, matcher.pattern)
      isNoted = true
    }
    guard !result.isSatisfied else { return isNoted }
    for index in lines.indices where result.first[index] == nil && lines[index].matches(text) {
      result.first[index] = seen
      if isUnordered { result.met[index] = seen }
      isNoted = true
    }
    guard !isUnordered, next < lines.count, lines[next].matches(text) else { return isNoted }
    // The next line may be the same text, and meet it.
    guard number > lastLine else { return true }
    result.met[next] = seen
    next += 1
    lastLine = number
    return true
  }
}
