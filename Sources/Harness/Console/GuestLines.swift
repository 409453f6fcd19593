// The guest's bytes gathered into lines, and the lines looked through for what is expected.

/// Watches the guest's lines for expectations.
///
/// Not `Sendable`, since regular expressions are not: the task that reads the console owns it.
struct GuestLines {
  /// A line without end is cut here.
  private static let longestLine = 64 << 10

  private var patterns: [(text: String, regex: Regex<AnyRegexOutput>)]
  private(set) var results: [ExpectationResult]
  private var line: [UInt8] = []
  /// Expectations that the line so far has met.
  private var open: [Int] = []

  /// - Throws: ``HarnessError/input(path:expected:found:)`` where a pattern is no regular expression.
  init(expectations: [String]) throws(HarnessError) {
    patterns = []
    for pattern in expectations {
      patterns.append((pattern, try Self.regex(pattern)))
    }
    results = expectations.map { ExpectationResult(pattern: $0, matched: false, line: nil) }
  }

  /// Everything expected was seen.
  var isSatisfied: Bool { results.allSatisfy(\.matched) }

  /// Takes in bytes of the guest and gives out the lines that they complete.
  @discardableResult
  mutating func take(_ bytes: [UInt8]) -> [String] {
    var whole: [String] = []
    for byte in bytes {
      if byte == 0x0A || line.count >= Self.longestLine {
        look()
        whole.append(String(decoding: line, as: UTF8.self))
        line = []
        open = []
        if byte == 0x0A { continue }
      }
      line.append(byte)
    }
    // A prompt has no newline behind it.
    if !line.isEmpty { look() }
    return whole
  }

  /// What stands on the last line, without a newline behind it; `nil` where nothing does.
  mutating func finish() -> String? {
    defer { line = [] }
    return line.isEmpty ? nil : String(decoding: line, as: UTF8.self)
  }

  private mutating func look() {
    guard !isSatisfied || !open.isEmpty else { return }
    let text = String(decoding: line, as: UTF8.self)
    for index in open { results[index].line = text }
    for index in patterns.indices where !results[index].matched {
      if (try? patterns[index].regex.firstMatch(in: text)) != nil {
        results[index].matched = true
        results[index].line = text
        open.append(index)
      }
    }
  }

  private static func regex(_ pattern: String) throws(HarnessError) -> Regex<AnyRegexOutput> {
    do {
      return try Regex(pattern)
    } catch {
      throw .input(path: "--expect", expected: "a regular expression", found: pattern)
    }
  }
}
