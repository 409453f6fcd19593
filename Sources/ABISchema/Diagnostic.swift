// What is wrong with the ABI's data, and where. Data only; one function renders it as a line.

/// A place in a data file; lines and columns count from 1.
public struct SourcePosition: Sendable, Hashable, Comparable {
  public var file: String
  public var line: Int
  public var column: Int

  public init(file: String, line: Int, column: Int) {
    self.file = file
    self.line = line
    self.column = column
  }

  public static func < (left: Self, right: Self) -> Bool {
    (left.file, left.line, left.column) < (right.file, right.line, right.column)
  }
}

/// One fault of the data, with its place and what to do about it.
public struct Diagnostic: Sendable, Hashable {
  public enum Severity: String, Sendable {
    /// The data cannot be used.
    case error
    /// The data can be used and deserves a look.
    case warning
  }
  public var severity: Severity
  public var position: SourcePosition
  /// What was expected and what was found.
  public var message: String
  /// What to write instead, where the checker knows.
  public var hint: String?

  public init(
    _ severity: Severity = .error, at position: SourcePosition, _ message: String,
    hint: String? = nil
  ) {
    self.severity = severity
    self.position = position
    self.message = message
    self.hint = hint
  }

  /// The form that editors and compilers share: `file:line:column: error: message (hint)`.
  public var rendered: String {
    let place = "\(position.file):\(position.line):\(position.column)"
    let tail = hint.map { "\n  hint: \($0)" } ?? ""
    return "\(place): \(severity.rawValue): \(message)\(tail)"
  }
}

/// Where readers and checks put what they find, so that one run reports everything.
package final class DiagnosticSink {
  package private(set) var diagnostics: [Diagnostic] = []
  /// Past this many a file is wrong as a whole and more lines help nobody.
  private let limit = 1_000

  package init() {}

  package func report(_ diagnostic: Diagnostic) {
    if diagnostics.count < limit { diagnostics.append(diagnostic) }
  }

  package func error(_ position: SourcePosition, _ message: String, hint: String? = nil) {
    report(Diagnostic(.error, at: position, message, hint: hint))
  }

  package func warning(_ position: SourcePosition, _ message: String, hint: String? = nil) {
    report(Diagnostic(.warning, at: position, message, hint: hint))
  }

  /// All diagnostics in order of file and line, each once.
  package var sorted: [Diagnostic] {
    var seen: Set<Diagnostic> = []
    return diagnostics.filter { seen.insert($0).inserted }.sorted {
      ($0.position, $0.message) < ($1.position, $1.message)
    }
  }
}
